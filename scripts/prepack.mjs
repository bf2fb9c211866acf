// Makes dist/src what is published: JavaScript from the build, declarations from tsc. Test files
// and source maps stay behind by the `files` list of package.json.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { setup } from './setup.mjs'
import { root } from './sources.mjs'

await setup()
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const args = [compiler, '--project', 'tsconfig.package.json']
// Standard output belongs to `npm pack --json`.
const stdio = ['ignore', process.stderr.fd, process.stderr.fd]
const result = spawnSync(process.execPath, args, { cwd: root, stdio })
process.exitCode = result.status ?? 1
