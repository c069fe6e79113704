import { sealIn } from '@aegis/authority'
import { type Control, controls, controlsWanted, models } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { PipelineClock } from './pipeline-clock.ts'
import { SetControls } from './set-controls.ts'

/** Time for the pipeline. It listens to nobody: who may write ticks may move every stage, so this is no part of what the network reaches. */
export const clock = defineService({
  name: 'clock',
  about: 'Keeps the pipeline clock, a tick a second, and sets controls in the order in which they are wanted.',
  settings,
  follows: streamList(controls, models),
  publishes: [],
  tails: streamList(controls),
  clock: true,
  create(config, context) {
    const clock = new PipelineClock(context)
    const closers: (() => Promise<void>)[] = []
    return {
      // A control that nobody was allowed to set is named by no tick.
      seal: config.authorityFolder ? sealIn(config.authorityFolder, 'clock') : undefined,
      stages: [
        {
          name: 'set-controls',
          reads: streamList(controlsWanted),
          writes: streamList(controls),
          snapshotAlways: true,
          create: () => new SetControls(environment => context.latest(controls, environment)),
        },
      ],
      started: async () => {
        if (config.clock === 'off') return
        const leadership = await context.lead('clock', leading => clock.lead(leading))
        closers.push(() => leadership.close())
        const tail = await context.tail([controls as never], 'end', seen => {
          for (const { value } of seen) if (value) void clock.tickOn(value as Control)
        })
        closers.push(() => tail.close())
      },
      stop: async () => {
        clock.stop()
        for (const close of closers) await close().catch(() => undefined)
      },
    }
  },
})
