import { runService } from '@aegis/runtime'
import { executor } from './service.ts'

await runService(executor)
