import { expect, it } from 'vitest'
import { reportedFault } from './reported-fault.ts'

it.each([
  ['java.lang.OutOfMemoryError: Java heap space', 'memory'],
  ['java.lang.OutOfMemoryError: Metaspace', 'memory'],
  ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'memory'],
  ['Killed process 17 (node) total-vm: oom-kill', 'memory'],
  ["OOM command not allowed when used memory > 'maxmemory'", 'memory'],
  ['container exceeded its memory limit', 'memory'],
  ['not enough swap space', 'memory'],
  ['heap is full, 98 % used', 'memory'],
  ['write /data/7: no space left on device', 'disk'],
  ['ENOSPC: cannot append', 'disk'],
  ['Disk quota exceeded', 'disk'],
  ['flood stage disk watermark [95%] exceeded on node', 'disk'],
  ['disk usage at 97%', 'disk'],
  ['could not extend file "base/1": No space left', 'disk'],
  ['The node was low on ephemeral-storage', 'disk'],
  ['could not write to the tablespace: tablespace is full', 'disk'],
  ['connection pool exhausted', 'pool'],
  ['HikariPool-1 - Connection is not available, request timed out after 30000ms.', 'pool'],
  ['FATAL: sorry, too many clients already', 'pool'],
  ['accept: too many open files', 'pool'],
  ['QueuePool limit of size 5 overflow 10 reached', 'pool'],
  ['remaining connection slots are reserved', 'pool'],
  ['worker threads exhausted', 'pool'],
  ['invalid configuration: port must be a number', 'config_error'],
  ['failed to load config from /etc/x.yaml', 'config_error'],
  ['required environment variable DB_URL is not set', 'config_error'],
  ['ConfigurationException: no value for retries', 'config_error'],
  ['config.timeout is invalid', 'config_error'],
])('%s: %s', (text, kind) => {
  expect(reportedFault(text)).toBe(kind)
})
it.each([
  'rate quota exceeded for project 7',
  'API quota exceeded, try again in 3 s',
  'too many requests',
  'too many retries: giving up',
  'retries exhausted after 3 attempts',
  'unexpected whitespace in line 3',
  'namespace shop is not found',
  'workspace is locked',
  'zoom level is wrong',
  'disk scheduler started',
  'config reloaded',
  'configured with 3 workers',
  'memory cache is warm, pool of 8 workers ready',
  'room 12 is free',
  'address space randomisation is on',
  'the customer has no space in the cart',
])('"%s" reports none', text => {
  expect(reportedFault(text)).toBeUndefined()
})
