/** Lines written for the text model of categories, in the style of many kinds of software: what it is trained on, and by cross-validation judged on. */
import type { Category } from './categories.ts'

const LINES: Readonly<Record<Category, string>> = {
  memory: `
java process resident set grew to 7.9 GiB, container limit is 8 GiB
working set exceeded, evicting pod from node
full collection freed only 3 MiB, old generation 99 % occupied
malloc of 1048576 bytes returned NULL
cannot fork: resource temporarily low, swapping heavily
RSS of worker 12 climbed from 210 MB to 1.9 GB within ten minutes
object cache shrunk because free RAM is below 5 %
page allocation failure: order:4, mode:0x40d0
buffer pool ballooned to 12 GB, trimming
killed by the kernel after using all available RAM
direct buffer exhausted: used 512 MB of 512 MB
leak suspected: 18312 unreleased ByteBuf instances
JVM paused 4.2 s for stop-the-world collection
metaspace is full, class unloading did not help
heap dump written to dump-17.hprof
V8 reached its limit, allocation failed - process out of memory
vm.overcommit prevented mapping of 2 GiB
worker recycled after exceeding 300 MB resident
slab usage keeps growing, 3.1 GB unreclaimable
arena fragmentation 61 %, compaction started
young generation resized from 256m to 512m
shared segment of 64 MB could not be attached
swap in use: 3.9 of 4.0 GB
cgroup hit its ceiling, throttling allocations`,
  network: `
connection to broker 10.1.4.2 dropped, reconnecting
peer closed the stream unexpectedly
interface eno1 went down
lost carrier on bond0, failing over to bond1
name lookup of api.partner.example gave no answer
ping to gateway lost 40 % of replies
TCP retransmissions rose to 12 %
EOF while reading response header
sending datagram failed: message too long
listener bound to [::]:8443
websocket closed with code 1006
keepalive missed three times, dropping the peer
ARP entry for 10.0.0.1 flapping between two MACs
MTU mismatch on path to 172.16.9.4
could not reach node-7, no answer to SYN
proxy returned malformed header
session with 192.0.2.14 was reset by the remote end
BGP neighbour 198.51.100.2 changed state to Idle
route to 10.8.0.0/16 withdrawn
load balancer removed backend address 10.2.2.2 from rotation after failed probes
partition detected: 2 of 5 members unreachable
rx queue overrun, 1412 frames dropped
switch port 14 shut by storm control
accepting clients on 0.0.0.0:1883`,
  authentication: `
sign-in rejected for account 8812: wrong code
user 77 logged out
access key expired, please sign in again
second factor required for operator
could not verify identity of caller
no such principal in realm EXAMPLE.COM
ticket granting ticket renewed
account locked after 5 wrong tries
SSO assertion accepted for tenant blue
refresh token revoked
session cookie missing or stale, redirecting to sign-in
LDAP bind rejected: data 52e
invalid API key supplied
public key accepted for deploy from 203.0.113.4
basic auth header missing
credentials of service account rotated
unknown user tried to sign in
bearer token has wrong audience
identity provider did not accept the callback
logon failure for DOMAIN\\svc-backup
password of operator changed
sudo: 3 incorrect attempts by carol
passkey enrolled for member 19
impersonation of user 3 started by support`,
  dependency: `
payment provider answered with an error, will try again
call to recommendation failed, serving defaults
downstream unavailable, shedding load
third party API is degraded according to its status page
fallback used because pricing did not answer
breaker half open, letting one call through
upstream returned 500 for /v2/quote
quota of partner API used up until midnight
geocoder rejected the request, attempt 2
service mesh reports no healthy endpoints for catalog
remote feature store is not ready
webhook to customer endpoint failed with 410
search cluster answered partially: 3 of 5 shards
message broker not available, buffering locally
requeueing job, mail gateway refused it for now
bulkhead for shipping full, rejecting call
could not reach tax service, order held back
backend answered gibberish: unexpected token < in JSON
health probe of dependency ledger failed
inventory responded with status 503
gave up after 5 attempts against billing
external scheduler unreachable, using last plan
crashed container restarted by kubelet, count 14
license server did not reply`,
  storage: `
volume vol-17 is 98 % full
could not write block 88122 to device
fsync took 8.1 s on journal
RAID array md0 degraded, one drive missing
inode table exhausted on /srv
bucket listing returned partial result
snapshot of filesystem created
S3 put of part 7 failed
SMART attribute 197 raised: pending sectors 24
quota exceeded for directory tree
compaction of segment files finished, 3.1 GB reclaimed
corrupted page found in file 17, offset 40960
replica of chunk 19 missing on data node
cannot create temp file: device has no room
write-ahead segment archived
NAS share stale, remount needed
upload discarded: object store read only
tape library offline
backup set verified, 412 GB
truncating file data-0017 to 8192 bytes
I/O on sdb stalled for 30 seconds
deleting expired blobs, freed 18 GB
disk latency 420 ms on nvme1
persistent volume claim is pending, no capacity`,
  timeout: `
no answer within 30 s, giving up
deadline of 500 ms passed before reply
operation took longer than allowed (10000 ms)
lease expired before renewal finished
gave up waiting for lock after 60 seconds
heartbeat not received in time from worker 4
request aborted: client waited too long
read deadline hit
slow response, cancelled after 15 s
job exceeded its time limit of 2 h and was killed
waited 20000 ms for a reply that never came
context canceled after deadline
poll interval exceeded, leaving group
handshake did not finish within 5 s
watchdog fired: main loop stuck for 12 s
no heartbeat for 45 s, marking node dead
statement cancelled due to statement time limit
upstream did not respond in time
acquiring semaphore exceeded 3000 ms
gateway stopped waiting for the application
connect attempt not finished after 4 s
probe did not return within one second
election took too long, starting a new term
session idle limit reached after 1800 s`,
  database: `
duplicate key in unique index orders_pkey
deadlock found when trying to get lock; try restarting
relation "baskets" does not exist
rollback of transaction 88172
primary stepped down, election of new primary
vacuum of table events removed 120000 dead rows
migration 0042 applied
replication lag on standby is 34 s
prepared statement cache evicted
cursor not found on server
index scan replaced by sequential scan on invoices
too many clients already
foreign key constraint violated on column customer_id
column price cannot be null
lock wait exceeded on row of accounts
collection users has no index on email
checkpoint complete: wrote 5121 buffers
checkout from pool blocked, 50 of 50 connections in use
schema version 17 is older than expected 18
slow select took 9.2 s: scan of 40 million rows
upsert into ledger failed with serialization failure
keyspace metrics created with replication factor 3
binlog position lost, resync needed
read replica promoted`,
  configuration: `
unknown flag --max-conns
value of cache.ttl must be a positive number
using default for missing option log.level
settings file reloaded after change
environment variable API_URL is not set
yaml: line 17: did not find expected key
port must be between 1 and 65535, got 70000
feature toggle beta-search switched off
parameter retries ignored, no longer supported
could not parse app.toml: expected equals sign
required property datasource.url missing
profile production active
two listeners configured with the same name
option legacy-mode will be removed in 5.0
secret reference db-password points nowhere
invalid cron expression in schedule nightly
overriding timeout from file with command line value
manifest lacks field spec.replicas
plugin audit enabled but not installed
unsupported value "fast" for mode, allowed: safe, balanced
template variable region is undefined
reading settings from /etc/app/app.conf
locale de_XX not known, using en_US
module not found: left-pad`,
  security: `
certificate of api.example expires in 3 days
client presented an untrusted certificate
request blocked by web application firewall rule 942100
role viewer may not delete project 7
forbidden: missing scope orders:write
signature of package does not match
possible SQL injection in parameter q
port scan detected from 203.0.113.50
seccomp killed process 4411
audit: policy changed by root
cross-origin request refused
AppArmor denied open of /etc/passwd
cipher suite mismatch, connection refused by policy
brute force suspected: 200 tries in a minute
operation not allowed for group guests
encryption key rotated
CSRF token mismatch
self signed certificate in chain
secret found in commit, push rejected
sandbox violation: attempt to open raw device
access to bucket private-data denied
malware signature matched in upload 118
revoked certificate presented by client
user lacks privilege DROP`,
  other: `
order 7712 shipped
worker 3 started
processed 1200 records in 3.2 s
cart now has 4 lines
build finished with 2 warnings
user clicked on banner 7
index page rendered in 12 ms
starting nightly report
batch 17 of 20 done
price of product 8812 updated to 19.90
leader elected: node 3
shutting down
email queued for delivery
value is not a number in row 12
unexpected state Done, wanted Running
assertion failed: left == right
task 88 assigned to executor 2
cleanup removed 31 items
null value where an object was expected
export written, 512 rows
temperature of sensor 4 is 21.5 degrees
request GET /products answered 200
panic: index out of range [3] with length 3
scheduling run 19 for tomorrow
page 4 of results requested
checkpoint 71 reached
invoice 2231 paid
image resized to 640x480
division by zero in discount
unhandled rejection in handler
scroll position saved
new version 2.4.1 is live`,
}

export const categoryLines: readonly (readonly [text: string, category: Category])[] = Object.entries(LINES).flatMap(
  ([category, text]) =>
    text
      .trim()
      .split('\n')
      .map(line => [line, category as Category] as const),
)

/** Words and phrases of each field, one a line to the trainer: what a few hundred lines cannot cover. Trained on always, never judged on. */
const TERMS: Readonly<Record<Exclude<Category, 'other'>, string>> = {
  memory:
    'memory, out of memory, oom, oomkilled, heap, heap space, ram, rss, resident set, working set, swap, swapping, swap space, malloc, calloc, allocation failed, allocate, allocator, leak, leaked, garbage collection, gc pause, collection, generation, metaspace, permgen, buffer exhausted, bytebuf, direct memory, slab, arena, fragmentation, page fault, overcommit, cgroup limit, evicted, eviction, mib, gib resident, stack overflow, segmentation fault, segfault, core dumped, bad_alloc, cache size, shrink, trimming, compaction of heap, heap dump',
  network:
    'network, connection, connection refused, connection reset, connection closed, connect, reconnecting, disconnected, dropped connection, peer, socket, tcp, udp, packet, frame dropped, datagram, retransmission, port, listener, listening, bound to, bind, address in use, interface, link up, link down, carrier, nic, eth0, dns, resolver, name lookup, resolve host, unreachable, no route, route, routing, gateway, hop, ping, mtu, arp, mac address, bgp, vlan, switch, proxy, load balancer, websocket, keepalive, eof, broken pipe, handshake, subnet, partition, members unreachable',
  authentication:
    'authentication, authenticate, login, logon, sign in, signed in, sign-in, logout, logged out, password, passwd, passkey, credentials, bad credentials, invalid user, unknown user, account locked, token, bearer, jwt, refresh token, expired token, api key, access key, audience, session cookie, identity, identity provider, sso, saml, assertion, oauth, openid, ldap, kerberos, principal, realm, ticket, second factor, two-factor, otp, mfa, basic auth, public key accepted, sudo, impersonation, unauthorized, 401',
  dependency:
    'dependency, upstream, downstream, third party, partner api, external service, remote service, provider answered, backend, backend failed, service unavailable, 503, 502, bad gateway, circuit breaker, breaker open, half open, fallback, degraded, serving defaults, retry, retrying, attempt, will try again, gave up after attempts, requeue, bulkhead, shed load, shedding, rate limit, quota of api, webhook, health probe, endpoint failed, healthy endpoints, restarted by kubelet, crash loop, back-off, call failed, rejected the request, did not reply, not ready, partial answer, shards',
  storage:
    'storage, disk, disk full, space left, volume, mount, remount, filesystem, file system, block device, device, sector, inode, directory quota, file, temp file, write failed, read only, fsync, journal, flush to disk, raid, drive, ssd, nvme, sda, smart attribute, backup, snapshot, archive, restore, tape, bucket, object store, s3, blob, upload, chunk, segment, replica missing, checksum, corrupted, corrupt page, i/o error, io, nfs, nas, san, persistent volume, claim, capacity, freed, reclaimed, truncate',
  timeout:
    'timeout, timed out, time out, time limit, deadline, deadline exceeded, exceeded, took too long, took longer, too slow, no answer within, no response within, did not respond in time, not finished, gave up waiting, waited, waiting for, stopped waiting, expired, lease expired, heartbeat missed, no heartbeat, watchdog, stuck, hung, idle limit, cancelled after, aborted after, interval exceeded, within seconds, after ms, after 30 s, too long',
  database:
    'database, db, sql, query, slow query, select, insert, update, upsert, join, table, row, rows, column, index, schema, migration, relation, key, primary key, foreign key, constraint, unique, duplicate key, null column, transaction, rollback, commit, isolation, serialization, deadlock, lock wait, cursor, statement, prepared, pool, connection pool, clients already, postgres, mysql, mongo, redis, cassandra, keyspace, replication, replication lag, standby, replica promoted, primary stepped down, binlog, wal, checkpoint, vacuum, sequential scan, collection',
  configuration:
    'configuration, config, configured, settings, setting, option, unknown option, flag, unknown flag, parameter, argument, environment variable, not set, missing, required property, property, default, using default, value of, must be, invalid value, allowed, expected, parse, could not parse, yaml, toml, json config, ini, manifest, field, spec, profile, feature flag, toggle, switched, deprecated, no longer supported, removed in, ignored, overriding, reload, reloaded, template variable, undefined, plugin not installed, module not found, locale, cron expression, schedule, secret reference',
  security:
    'security, certificate, expired certificate, self signed, untrusted, revoked, chain, tls, ssl, x509, cipher, encryption, key rotated, signature, signed, permission, permission denied, access denied, denied, forbidden, 403, not allowed, not permitted, privilege, role, scope, policy, policy violation, rbac, acl, audit, firewall, blocked, waf, injection, xss, csrf, cross-origin, cors, intrusion, attack, brute force, scan detected, port scan, malware, virus, exploit, vulnerability, cve, sandbox, seccomp, apparmor, selinux, violation, secret found, suspicious',
}

export const categoryTerms: readonly (readonly [text: string, category: Category])[] = Object.entries(TERMS).flatMap(
  ([category, text]) => text.split(', ').map(term => [term, category as Category] as const),
)
