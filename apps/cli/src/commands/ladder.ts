/** `aegis ladder`: how far actions may go in an environment, all of them or one by one. */
import { ACTIONS, AegisError, type Control, MODES, type Mode, PLATFORM_ACTIONS } from '@aegis/domain'
import { Command } from 'commander'
import { ask } from './incidents.ts'

export const ladderCommand = (): Command =>
  new Command('ladder')
    .argument('<environment>')
    .argument('[mode]', MODES.join(', '))
    .option('--action <name>', 'only this action, such as restart or rollback_deploy')
    .addHelpText(
      'after',
      '\nWithout a mode it shows what is set, protected entities and maintenance windows too; those are set by PUT /api/v1/controls/ENVIRONMENT.\nThe gateway is found by AEGIS_GATEWAY_URL.',
    )
    .action(async (environment: string, mode: string | undefined, { action }: { readonly action?: string }) => {
      const path = `/api/v1/controls/${encodeURIComponent(environment)}`
      if (mode === undefined) {
        for (const line of shown(await ask<Partial<Control>>(path))) console.log(line)
        return
      }
      if (!MODES.includes(mode as Mode))
        throw new AegisError('INPUT_INVALID', `the mode is one of ${MODES.join(', ')}, not ${mode}`)
      const known = [...Object.keys(ACTIONS), ...Object.keys(PLATFORM_ACTIONS)]
      // A command of the executor's allow list may have any name.
      if (action !== undefined && !known.includes(action))
        console.error(`no action of Aegis itself is called ${action}: there are ${known.join(', ')}`)
      await ask(path, {
        method: 'PUT',
        body: JSON.stringify({
          ...(action === undefined ? { default_mode: mode } : { ladder: { [action]: mode } }),
          who: process.env.USER ?? 'cli',
        }),
      })
      console.log(`${action ?? 'every action not named'} in ${environment}: ${mode} from the next tick on`)
    })

const clock = (us: number): string => `${new Date(us / 1000).toISOString().slice(0, 16)}Z`
export const shown = (control: Partial<Control>): string[] =>
  control.version === undefined
    ? [`nothing is set for ${control.environment}: the settings of the remediator hold`]
    : [
        `every action not named: ${control.default_mode || 'as the settings of the remediator say'}${control.kill_switch ? ', but the kill switch is on' : ''}`,
        ...Object.entries(control.ladder ?? {}).map(([action, mode]) => `${action}: ${mode}`),
        ...((control.protected ?? []).length > 0 ? [`protected: ${control.protected?.join(', ')}`] : []),
        ...(control.maintenance ?? []).map(
          ({ from, to, reason, entities }) =>
            `maintenance from ${clock(from)} to ${clock(to)}${entities?.length ? ` of ${entities.join(', ')}` : ''}: ${reason}`,
        ),
      ]
