/** The words by which callers of the inference API name actions, and ours: one table, read both ways. */
const TABLE = [
  ['restart_pod', 'restart'],
  ['restart_service', 'restart'],
  ['scale_up', 'scale_out'],
  ['rollback_deployment', 'rollback_deploy'],
  ['revert_configuration', 'revert_config'],
  ['increase_limits', 'raise_limit'],
  ['cleanup_disk', 'clean_disk'],
  ['start_service', 'start'],
  ['notify_team', 'page'],
] as const

/** What a caller's word means here; words of our own, and those that nobody knows, are themselves. */
export const ourAction = (word: string): string => TABLE.find(([theirs]) => theirs === word)?.[1] ?? word
/** The word callers know for one of our actions. */
export const theirAction = (word: string): string => TABLE.find(([, ours]) => ours === word)?.[0] ?? word
