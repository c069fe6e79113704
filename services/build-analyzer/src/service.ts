import { ciDiagnoses, ciFailures } from '@aegis/domain'
import { defineService, streamList } from '@aegis/runtime'
import { settings } from './config.ts'
import { DiagnoseBuilds } from './diagnose-builds.ts'
import { GitHub } from './github/client.ts'
import { githubWebhook } from './github/webhook.ts'

export const buildAnalyzer = defineService({
  name: 'build-analyzer',
  about: 'Reads the logs of failed jobs: cause by line, whose it is, what to do.',
  settings,
  publishes: streamList(ciFailures),
  create: ({ webhookSecret: secret, githubToken: token = '', githubUrl: baseUrl, environment }, context) => ({
    stages: [
      {
        name: 'diagnose-builds',
        reads: streamList(ciFailures),
        writes: streamList(ciDiagnoses),
        create: () => new DiagnoseBuilds(),
      },
    ],
    http: secret
      ? githubWebhook({
          secret,
          environment,
          now: context.now,
          log: (repository, job) => new GitHub({ token, repository, baseUrl }).log(job),
          publish: failed => context.publish(ciFailures, [failed]),
        })
      : undefined,
  }),
})
