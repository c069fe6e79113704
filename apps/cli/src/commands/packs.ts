/** `aegis packs`: what is known of kinds of systems, as files. */
import path from 'node:path'
import { Command } from 'commander'
import { putTogether, readPack, shippedPacks } from '../packs/read-pack.ts'

export const packsCommand = (): Command => {
  const command = new Command('packs').addHelpText(
    'after',
    '\nPacks of your own are folders; deploy/packs/README.md says what is in them.',
  )
  command
    .command('list')
    .description('those that are shipped')
    .action(async () => {
      for (const name of shippedPacks()) {
        const { about, rules, formats, settings } = await readPack(name)
        console.log(
          `${name.padEnd(16)} ${about} ${rules.length} rules, ${formats.length} formats, ${Object.keys(settings).length} settings`,
        )
      }
    })
  command
    .command('check')
    .argument('<pack>', 'name or folder')
    .description('reads it as the services would')
    .action(async (which: string) => {
      const { name } = await readPack(which)
      console.log(`${name} can be used`)
    })
  command
    .command('env')
    .argument('<packs...>', 'names or folders')
    .requiredOption('--out <folder>', 'where the files go that settings name')
    .description('writes what they say together, and prints the settings as NAME=value lines')
    .action(async (which: string[], { out }: { out: string }) => {
      const packs = await Promise.all(which.map(readPack))
      for (const [name, value] of Object.entries(putTogether(packs, path.resolve(out)))) console.log(`${name}=${value}`)
    })
  return command
}
