// Claim slots: 64 bytes of shared memory for each worker, in one memfd of the raylet.
//
// The worker says there how many tasks of its current lease it has started, so that the raylet can tell the owner which
// of the tasks in flight may have run when the worker dies in the middle. A cache line each, so that they do not disturb
// one another.

export const claimSlotBytes = 64
export const claimSlotsMax = 512
/** i32, little-endian: tasks of the current lease that have started. The worker sets it to 0 when a lease opens. */
export const claimStartedOffset = 0
