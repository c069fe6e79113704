import { idOf, type Observation } from '@aegis/domain'

/** `<service>__<metric>` split at the last double underscore; a column without one is a metric of the entity given. */
export const observationOf = (column: string, value: number, time: number, environment: string, entity: string): Observation => {
  const at = column.lastIndexOf('__')
  const service = at > 0 ? `service:${column.slice(0, at)}` : entity
  const metric = at > 0 ? column.slice(at + 2) : column
  return {
    id: idOf(environment, column, time),
    environment,
    time,
    entity: service,
    metric_name: metric,
    metric_type: 'gauge',
    unit: '',
    value,
    dimensions: {},
  }
}
