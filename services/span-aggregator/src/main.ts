import { runService } from '@aegis/runtime'
import { spanAggregator } from './service.ts'

await runService(spanAggregator)
