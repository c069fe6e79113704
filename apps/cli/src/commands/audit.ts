/** `aegis audit`: who said what to Aegis, and when. */
import { type AuditEntry, audit, type Stream } from '@aegis/domain'
import { connectClient } from '@aegis/stack/pipeline/client'
import { Command } from 'commander'

export const shownEntry = ({ time, environment, who, what, subject, details }: AuditEntry): string =>
  `${new Date(time / 1000).toISOString().slice(0, 19)}Z  ${environment}  ${who} (${details?.address ?? 'unknown address'})  ${what} ${subject}\n  after:  ${details?.after ?? ''}${details?.before ? `\n  before: ${details.before}` : ''}`

export const auditCommand = (): Command =>
  new Command('audit')
    .option('--environment <name>', 'only this one')
    .option('--who <name>', 'only what this one said')
    .option('--json', 'one JSON object a line', false)
    .addHelpText(
      'after',
      '\nReads the audit stream itself: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name others than the local ones.',
    )
    .action(async (o: { environment?: string; who?: string; json: boolean }) => {
      const client = await connectClient()
      let n = 0
      await client.all([audit as unknown as Stream<never>], decoded => {
        for (const { value } of decoded) {
          const entry = value as AuditEntry | undefined
          if (!entry || (o.environment && entry.environment !== o.environment) || (o.who && entry.who !== o.who)) continue
          n++
          console.log(o.json ? JSON.stringify(entry) : shownEntry(entry))
        }
      })
      await client.close()
      if (n === 0) console.error('nothing is on the audit stream for that')
    })
