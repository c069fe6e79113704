import { z } from 'zod'

export const settings = {
  environment: {
    env: 'AEGIS_ENVIRONMENT',
    schema: z.string().default('default'),
    about: 'Environment of builds that GitHub tells of.',
  },
  webhookSecret: {
    env: 'GITHUB_WEBHOOK_SECRET',
    schema: z.string().min(1).optional(),
    about:
      'Secret of the webhook of GitHub, event workflow_job, at POST /api/v1/ci/github of this service; empty: there is none.',
    secret: true,
  },
  githubToken: {
    env: 'GITHUB_TOKEN',
    schema: z.string().optional(),
    about: 'Token that reads logs of jobs (actions: read).',
    secret: true,
  },
  githubUrl: {
    env: 'GITHUB_API_URL',
    schema: z.string().default('https://api.github.com'),
    about: 'API of GitHub, or of GitHub Enterprise.',
  },
}
