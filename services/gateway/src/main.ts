import { runService } from '@aegis/runtime'
import { gateway } from './service.ts'

await runService(gateway)
