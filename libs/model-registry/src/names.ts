/** Keys on the `models` stream: one place, so that who trains, who loads and who rolls back mean the same. */

/** Who decides, and who speaks in its shadow. */
export const POLICY_MODEL = 'remediation-policy'
export const CANDIDATE_MODEL = `${POLICY_MODEL}/candidate`
/** The version that stands for the rule table, which has no weights. */
export const RULES_VERSION = 'rules'
export const ALERT_RULES = 'alert-rules'

/** The detector of an entity's metrics. */
export const entityModel = (detector: string, environment: string, entity: string): string =>
  `${detector}/${environment}/${entity}`

/** What an entity usually logs. */
export const LOG_MODEL = 'log-watch'
