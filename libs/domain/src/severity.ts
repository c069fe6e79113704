/** How bad anomalies, alerts and incidents are, least first. (Log lines have the severities of logging instead.) */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]
