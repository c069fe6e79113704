import { runService } from '@aegis/runtime'
import { remediator } from './service.ts'

await runService(remediator)
