/** `aegis environments`: the names that controls may be set for. */
import { addEnvironments, readEnvironments, removeEnvironment } from '@aegis/authority'
import { AegisError } from '@aegis/domain'
import { environmentsFile } from '@aegis/stack/own-keys'
import { Command } from 'commander'

export const environmentsCommand = (): Command => {
  const command = new Command('environments').addHelpText(
    'after',
    '\nKept in the file that AEGIS_ENVIRONMENTS_FILE names, default .aegis/environments; a gateway that runs reads it each time it is asked.',
  )
  command.command('list').action(() => {
    const names = readEnvironments(environmentsFile())
    console.log(names.join('\n') || 'none but default; "aegis environments add NAME"')
  })
  command.command('add <names...>').action((names: string[]) => {
    addEnvironments(environmentsFile(), names)
    console.log(`declared: ${names.join(', ')}`)
  })
  command.command('remove <name>').action((name: string) => {
    if (!removeEnvironment(environmentsFile(), name)) throw new AegisError('INPUT_INVALID', `${name} was not declared`)
    console.log(`${name} is declared no longer`)
  })
  return command
}
