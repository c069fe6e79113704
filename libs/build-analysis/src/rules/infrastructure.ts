import { rulesOf } from './rule.ts'

/** Docker and BuildKit, Kubernetes and Helm, Terraform, Ansible; packages of systems; git; networks; credentials; disks and memory. */
export const infrastructure = [
  ...rulesOf('docker', [
    [
      'image',
      /manifest (?:for \S+ )?(?:not found|unknown)|pull access denied|repository does not exist|no matching manifest for|failed to resolve source metadata|invalid reference format|: not found: manifest/,
      'Error response from daemon: manifest for shop:9 not found: manifest unknown',
      0.9,
    ],
    [
      'external',
      /toomanyrequests|You have reached your (?:unauthenticated )?pull rate limit|error pulling image|received unexpected HTTP status: 5/,
      'toomanyrequests: You have reached your pull rate limit.',
      0.9,
    ],
    [
      'config',
      /^(?:ERROR: )?(?:failed to solve: )?(?:failed to read dockerfile|failed to compute cache key|dockerfile parse error|COPY failed|ADD failed)|failed to calculate checksum of ref|unable to prepare context|yaml: line \d+/,
      'COPY failed: file not found in build context: stat price: file does not exist',
      0.88,
    ],
    [
      'unavailable',
      /Cannot connect to the Docker daemon|container .* is unhealthy|dependency failed to start/,
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      0.88,
    ],
    [
      'config',
      /port is already allocated|address already in use|EADDRINUSE|Conflict\. The container name|OCI runtime (?:create|exec) failed/,
      'Error: listen EADDRINUSE: address already in use :::3000',
      0.85,
    ],
    [
      '-failed',
      /(?:failed to solve: |executor failed running|^ERROR: process).*(?:did not complete successfully|exit code: )|returned a non-zero code: \d+|buildx failed with/,
      'ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2',
      0.3,
    ],
  ]),
  ...rulesOf('kubernetes', [
    [
      'deploy',
      /^Error: (?:INSTALLATION FAILED|UPGRADE FAILED|template: |failed to parse|YAML parse error|chart )|^Error: execution error at|error validating data|error: (?:unable to recognize|no objects passed)|is invalid: spec|admission webhook .* denied|no matches for kind/,
      'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
      0.88,
    ],
    ['image', /ImagePullBackOff|ErrImagePull|InvalidImageName/, 'shop-7d9f   0/1   ImagePullBackOff   0   2m', 0.85],
    ['crash', /CrashLoopBackOff/, 'shop-7d9f   0/1   CrashLoopBackOff   4   2m', 0.7],
    [
      'access',
      /Error from server \(Forbidden\)|is forbidden: User|error: You must be logged in to the server/,
      'Error from server (Forbidden): pods is forbidden: User "ci" cannot list',
      0.9,
    ],
    [
      'unavailable',
      /The connection to the server .* was refused|timed out waiting for the condition|pod .* (?:failed to start|is unhealthy|did not become ready)|exceeded its progress deadline|Unable to connect to the server/,
      'error: timed out waiting for the condition',
      0.8,
    ],
  ]),
  ...rulesOf('terraform', [
    [
      'access',
      /(?:AccessDenied(?:Exception)?|UnauthorizedOperation|ExpiredToken(?:Exception)?|InvalidClientTokenId|not authorized to perform|AuthorizationFailed)\b/,
      'Error: creating bucket: AccessDenied: Access Denied',
      0.9,
    ],
    [
      'deploy',
      /^[│╷\s]*Error: (?:Unsupported|Invalid|Missing|Reference|Duplicate|Argument|Incorrect|Cycle|creating|updating|deleting|reading|error |Provider|Failed|Inconsistent|Backend|Module|No value|Unexpected|Insufficient|Conflicting|Variables|local-exec|remote-exec|Resource|Error)/,
      '│ Error: Unsupported argument',
      0.85,
    ],
    ['deploy', /Error acquiring the state lock|Error locking state/, 'Error: Error acquiring the state lock', 0.92],
    ['deploy', /^fatal: \[\S+\]: (?:FAILED|UNREACHABLE)!/, 'fatal: [web1]: FAILED! => {"msg": "no price"}', 0.88],
  ]),
  ...rulesOf('packages', [
    [
      'resolution',
      /^E: (?:Unable to locate package|Package '.*' has no installation candidate|Version '.*' for '.*' was not found|Unable to correct problems)|unable to select packages|No match for argument: |nothing provides |No available formula|Unmet dependencies/,
      'E: Unable to locate package libprice-dev',
      0.9,
    ],
    [
      'network',
      /^E: .*(?:Failed to fetch|Could not resolve|Temporary failure resolving|Hash Sum mismatch|Connection timed out|Unable to fetch some archives)/,
      'E: Failed to fetch http://archive.example.org/price.deb  404  Not Found',
      0.8,
    ],
    ['network', /^(?:W: Failed to fetch|Err:\d+ )/, 'Err:12 http://archive.example.org stable InRelease', 0.25],
    [
      'expired',
      /(?:EXPKEYSIG|NO_PUBKEY|Release file .* (?:is expired|is not valid yet)|signatures? (?:couldn't be verified|were invalid)|is not signed)/,
      'W: GPG error: http://archive.example.org stable InRelease: EXPKEYSIG 1234',
      0.6,
    ],
    [
      'environment',
      /dpkg: error processing|Could not get lock \/var\/lib|Sub-process .* returned an error code/,
      'E: Could not get lock /var/lib/dpkg/lock-frontend',
      0.8,
    ],
  ]),
  ...rulesOf('git', [
    [
      'checkout',
      /(?:^|\]|stderr: |: )fatal: (?:couldn't find remote ref|Remote branch .* not found|reference is not a tree|bad object|invalid refspec|.*upload-pack: not our ref|No url found for submodule|bad revision|ambiguous argument)|error: pathspec '.*' did not match/,
      "fatal: couldn't find remote ref refs/heads/price",
      0.9,
    ],
    [
      'checkout',
      /Fetched in submodule path .*, but it did not contain|clone of '.*' into submodule path .* failed|Error cloning remote repo|Could not checkout|Failed to checkout/,
      "ERROR: Error cloning remote repo 'origin'",
      0.75,
    ],
    [
      'checkout',
      /fatal: (?:detected dubious ownership|unsafe repository)/,
      "fatal: detected dubious ownership in repository at '/src'",
      0.9,
    ],
    [
      'access',
      /fatal: (?:could not read (?:Username|Password)|Authentication failed)|remote: (?:Invalid username|Permission to .* denied|Write access|Repository not found|HTTP Basic: Access denied|Support for password)|Permission denied \(publickey|Host key verification failed|refusing to allow (?:a|an) .* to create or update workflow|protected branch hook declined|GH006|403 Forbidden.*git/,
      "fatal: Authentication failed for 'https://git.example.org/shop.git/'",
      0.9,
    ],
    [
      'external',
      /fatal: unable to access '.*': .*(?:returned error: 5\d\d)|RPC failed; (?:HTTP 5|curl)|early EOF|remote end hung up|index-pack failed|Internal Server Error|error: 50[0234]\b/,
      "fatal: unable to access 'https://git.example.org/shop.git/': The requested URL returned error: 503",
      0.85,
    ],
    [
      'network',
      /fatal: unable to access '.*': (?:Could not resolve|Failed to connect|OpenSSL|GnuTLS|Connection|Operation timed)/,
      "fatal: unable to access 'https://git.example.org/': Could not resolve host: git.example.org",
      0.9,
    ],
    [
      'checkout',
      /^CONFLICT \(|Automatic merge failed|error: could not apply |needs merge$|\[rejected\]|Updates were rejected|failed to push some refs|cherry-pick.*(?:returned|failed)/,
      'CONFLICT (content): Merge conflict in price.py',
      0.85,
    ],
    ['-checkout', /^fatal: /, 'fatal: the tree is wrong', 0.6],
  ]),
  ...rulesOf('network', [
    [
      'network',
      /Could not resolve host|Name or service not known|Temporary failure in name resolution|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|UnknownHostException|no such host/,
      'curl: (6) Could not resolve host: example.org',
      0.85,
    ],
    [
      'network',
      /(?:Connection|Read|Operation|Request|connect|Handshake) timed? ?out|\bETIMEDOUT\b|\bESOCKETTIMEDOUT\b|i\/o timeout|TLS handshake timeout|context deadline exceeded|connection timeout/i,
      'ssh: connect to host example.org port 22: Connection timed out',
      0.75,
    ],
    [
      'network',
      /Connection reset by peer|\bECONNRESET\b|Connection (?:was )?aborted|socket hang up|Remote end closed connection|unexpected EOF|Network is unreachable|No route to host|Broken pipe/,
      'read: Connection reset by peer',
      0.65,
    ],
    [
      'unavailable',
      /Connection refused|\bECONNREFUSED\b|could not connect to server|the database system is starting up|server closed the connection unexpectedly|Can't connect to (?:local )?MySQL|NOAUTH|Failed to connect to .* port/,
      'could not connect to server: Connection refused',
      0.75,
    ],
    [
      'expired',
      /certificate (?:has expired|is not yet valid|verify failed: certificate has expired)|CERT_HAS_EXPIRED|x509: certificate has expired|(?:token|key|secret|certificate|licen[cs]e|credentials?) (?:has |have |is |are )?expired/i,
      'x509: certificate has expired or is not yet valid',
      0.9,
    ],
    [
      'network',
      /SSL(?:Error|: CERTIFICATE_VERIFY_FAILED)|certificate verify failed|unable to get local issuer certificate|self[- ]signed certificate|x509: certificate signed by unknown|PKIX path building failed|SSL certificate problem/,
      'SSL certificate problem: unable to get local issuer certificate',
      0.8,
    ],
    [
      'external',
      /(?:API |secondary )?rate limit (?:exceeded|reached)|429 Too Many Requests|Too Many Requests|status(?: code)?:? 429/i,
      'API rate limit exceeded for installation',
      0.88,
    ],
    [
      'external',
      /\b(?:HTTP(?:\/[\d.]+)?|status(?: code)?|returned error|error|Response code)[: ]+(?:50[0234])\b|50[0234] (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)|Service Unavailable|Bad Gateway/i,
      'HTTP 503 Service Unavailable',
      0.75,
    ],
    [
      'access',
      /\b(?:HTTP(?:\/[\d.]+)?|status(?: code)?|returned error|error)[: ]+(?:40[13])\b|40[13] (?:Unauthorized|Forbidden)|Bad credentials|Resource not accessible by integration|invalid_grant|Authentication (?:failed|required)|unauthorized: |Permission denied to/i,
      'HttpError: Resource not accessible by integration',
      0.85,
    ],
    [
      'resolution',
      /\b(?:HTTP(?:\/[\d.]+)?|status(?: code)?|returned error|ERROR|error)[: ]+404\b|404:? Not Found|curl: \(22\)/,
      'curl: (22) The requested URL returned error: 404',
      0.7,
    ],
    [
      'network',
      /^curl: \((?:5|7|18|28|35|52|56|92)\)|^wget: .*(?:unable to resolve|failed)/,
      'curl: (28) Operation timed out',
      0.8,
    ],
  ]),
  ...rulesOf('credentials', [
    [
      'access',
      /(?:Input required and not supplied|Credentials could not be loaded|Could not load (?:default )?credentials|Unable to locate credentials|No credentials|Unable to get (?:ACTIONS_ID_TOKEN_REQUEST_URL|OIDC)|missing (?:api|access) ?(?:key|token)|Parameter token or opts\.auth is required|must (?:set|provide) .*(?:TOKEN|KEY|SECRET))/i,
      'Input required and not supplied: token',
      0.88,
    ],
    [
      'access',
      /(?:token|secret|password|api.?key) (?:is )?(?:not set|missing|required|empty|invalid)/i,
      'PRICE_TOKEN is not set',
      0.65,
    ],
    [
      'access',
      /(?:^|[\s:])(?:EACCES|EPERM)\b|Permission denied|Operation not permitted/,
      "EACCES: permission denied, open '/etc/price'",
      0.7,
    ],
  ]),
  ...rulesOf('system', [
    [
      'disk',
      /No space left on device|\bENOSPC\b|disk (?:is )?full|not enough (?:disk )?space|Disk quota exceeded|There is not enough space on the disk/i,
      'write error: No space left on device',
    ],
    [
      'memory',
      /Out of memory|\bOOMKilled\b|Cannot allocate memory|\bENOMEM\b|std::bad_alloc|virtual memory exhausted|CUDA out of memory|OutOfMemoryError|OutOfMemoryException|Killed process \d+|GC overhead limit|Metaspace|heap space/,
      'Out of memory: Killed process 1234 (cc1plus)',
      0.88,
    ],
    [
      'memory',
      /(?:exit(?:ed with)?(?: code| status)?|code|returned)[: =]*137\b|^(?:.*: line \d+:\s+\d+ )?Killed\b|\bKilled\s+(?:\S+ ){0,3}(?:signal|program)/,
      'Process completed with exit code 137.',
      0.7,
    ],
    [
      'memory',
      /Too many open files|\bEMFILE\b|fork: (?:retry: )?Resource temporarily unavailable|inotify.*limit|pids? limit/,
      'OSError: [Errno 24] Too many open files',
      0.85,
    ],
  ]),
]
