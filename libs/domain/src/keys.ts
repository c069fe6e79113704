/** Keys of maps made of several parts. Names never hold the separator, so that no two lists of parts make one key. */
const SEPARATOR = '\0'

export const keyOf = (
  first: string | undefined,
  second: string | number | undefined,
  ...more: readonly (string | number)[]
): string =>
  more.length === 0 ? `${first}${SEPARATOR}${second}` : `${first}${SEPARATOR}${second}${SEPARATOR}${more.join(SEPARATOR)}`
/** The parts again, in order. */
export const partsOf = (key: string): string[] => key.split(SEPARATOR)
