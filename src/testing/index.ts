/**
 * Real clusters for tests, and nothing left behind.
 *
 * @module typeray/testing
 */

export { loseObjects } from './lose-objects.js'
export { Driver, runDriver, startDriver, type DriverEnd, type DriverOptions } from './run-driver.js'
export { until, type UntilOptions } from './until.js'
export { withCluster, type ClusterOptions, type TestCluster } from './with-cluster.js'
