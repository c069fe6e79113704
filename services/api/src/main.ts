import { runService } from '@aegis/runtime'
import { api } from './service.ts'

await runService(api)
