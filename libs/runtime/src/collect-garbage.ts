import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * How a service is to be started: what is new grows to 128 MiB otherwise, page by page over hours, of which it needs a tenth. It can be said on the
 * command line alone.
 */
export const HEAP_FLAGS: readonly string[] = ['--max-semi-space-size=16']

/** A collection may take this share of the time. */
const SHARE = 0.001

/** What collects the whole heap at once when called. */
export const fullCollection = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/**
 * V8 collects what has grown old only when the heap has grown by a good part of itself. A service with 25 MiB alive then holds hundreds of MiB
 * of garbage, rising for hours, and nobody can tell that from a leak. A full collection takes some hundredths of a second on such a heap and gives
 * the memory back; on a large one it comes more rarely.
 * @param everyMs wait between two collections, milliseconds
 */
export const collectGarbage = (everyMs: number): void => {
  const collect = fullCollection()
  const next = (waitMs: number) => {
    setTimeout(() => {
      const began = performance.now()
      collect()
      next(Math.max(everyMs, (performance.now() - began) / SHARE))
    }, waitMs).unref()
  }
  next(everyMs)
}
