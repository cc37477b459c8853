// Imported before anything else by the scripts that people start, so it must load on any Node that knows modules.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Parley needs Node 20.19 or newer, and this is Node ${process.versions.node} (${process.execPath}).`)
  console.error('Install a newer Node (https://nodejs.org, or your version manager) and run the same command again.')
  process.exit(1)
}
