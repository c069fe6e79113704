/**
 * Secrets that are known by their form, as data. The forms are those that gitleaks (MIT, github.com/gitleaks/gitleaks) and secretlint (MIT) publish, and
 * those that the issuers describe; written anew with bounded repetitions, so that the work is linear.
 *
 * Examples are recipes, not values: `{a24}` stands for 24 letters and digits, `U` capitals and digits, `h` hexadecimal, `d` digits, `l` small letters and
 * digits, `w` letters, digits, `_` and `-`; `{$}` for a dollar. Tests fill them in anew each time, so that nothing in this file looks like a secret.
 */
export interface SecretRule {
  /** What the mark says: <redacted:kind>. */
  readonly kind: string
  /** Literals of three characters or more, one of which every match holds; capitals do not matter. The rule is tried only where one stands. */
  readonly triggers: readonly string[]
  /** Global. A named group `secret` is what is taken out; without it the whole match. */
  readonly pattern: RegExp
  readonly matches: readonly string[]
  readonly misses?: readonly string[]
}
const rule = (
  kind: string,
  triggers: string | readonly string[],
  pattern: RegExp,
  matches: string | readonly string[],
  misses?: readonly string[],
): SecretRule => ({
  kind,
  triggers: typeof triggers === 'string' ? [triggers] : triggers,
  pattern,
  matches: typeof matches === 'string' ? [matches] : matches,
  misses,
})
/** A literal beginning and what follows it: most issuers mark their tokens so. */
const prefixed = (kind: string, prefixes: string | readonly string[], body: string, recipe: string): SecretRule => {
  const list = typeof prefixes === 'string' ? [prefixes] : prefixes
  const escaped = list.map(p => p.replace(/[.$^+*?()[\]{}|\\]/g, '\\$&'))
  return rule(
    kind,
    list,
    new RegExp(`(?<![A-Za-z0-9])(?:${escaped.join('|')})${body}`, 'g'),
    list.map(p => p + recipe),
  )
}
const DIGITS = [...'0123456789']

export const secretRules: readonly SecretRule[] = [
  rule(
    'private-key',
    '-----begin',
    /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,16384}(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----)?/g,
    ['-----BEGIN RSA PRIVATE KEY-----\n{a64}\n-----END RSA PRIVATE KEY-----', '-----BEGIN PRIVATE KEY-----\\n{a64}\\n-----END'],
    ['-----BEGIN CERTIFICATE-----', '-----BEGIN PUBLIC KEY-----'],
  ),
  rule('private-key', 'private-lines:', /(?<=Private-Lines: \d{1,3}\s)[A-Za-z0-9+/=\s]{16,8192}/g, 'Private-Lines: 8\n{a64}'),
  prefixed('private-key', 'AGE-SECRET-KEY-1', '[0-9A-Z]{40,64}', '{U58}'),
  rule('jwt', 'eyj', /(?<![A-Za-z0-9])eyJ[\w-]{8,4096}\.[\w-]{2,8192}(?:\.[\w-]{0,4096}){0,3}/g, 'eyJ{a20}.eyJ{a40}.{w43}', [
    'eyJustAWord',
  ]),
  rule(
    'aws-key',
    ['akia', 'asia', 'abia', 'acca', 'aroa', 'aida', 'agpa', 'aipa', 'anpa', 'anva'],
    /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|AIPA|ANPA|ANVA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
    ['AKIA{U16}', 'ASIA{U16}'],
    ['Asia/Kolkata', 'MEDIAID'],
  ),
  prefixed('aws-key', ['ABSK', 'bedrock-api-key-'], '[A-Za-z0-9+/]{60,280}={0,2}', '{a110}'),
  rule('aws-key', 'amzn.mws.', /amzn\.mws\.[0-9a-f-]{36}/g, 'amzn.mws.{h8}-{h4}-{h4}-{h4}-{h12}'),
  rule(
    'aws-key',
    'x-amz-',
    /(?<=X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D))[^\s&"'<>]{16,4096}/gi,
    'https://b.s3.amazonaws.com/x?X-Amz-Signature={h64}',
  ),
  prefixed('gcp-key', 'AIza', '[\\w-]{30,64}', '{w35}'),
  prefixed('gcp-token', 'ya29.', '[\\w.-]{20,1024}', '{w80}'),
  prefixed('gcp-secret', 'GOCSPX-', '[\\w-]{20,64}', '{w28}'),
  rule(
    'azure-secret',
    DIGITS.map(d => `${d}Q~`),
    /(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])/g,
    '{a3}8Q~{a34}',
  ),
  rule('azure-sas', ['?sig=', '&sig=', ';sig=', 'amp;sig='], /(?<=[?&;]sig=)[A-Za-z0-9%+/=_-]{20,256}/g, [
    'https://x.blob.core.windows.net/c?sv=1&sig={a43}%3D',
  ]),
  prefixed('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], '[A-Za-z0-9_.-]{20,520}', '{a36}'),
  prefixed('github-token', 'github_pat_', '\\w{20,255}', '{a22}_{a59}'),
  prefixed(
    'gitlab-token',
    ['glpat-', 'gldt-', 'glptt-', 'glrt-', 'glft-', 'glsoat-', 'glimt-', 'glagent-', 'gloas-', 'glcbt-', 'glffct-', 'GR1348941'],
    '[\\w.=-]{16,255}',
    '{w20}',
  ),
  prefixed('bitbucket-token', ['ATBB', 'ATCTT3xFf', 'ATATT3xFf'], '[\\w=-]{24,512}', '{a32}'),
  prefixed(
    'slack-token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxo-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxd-', 'xoxc-', 'xoxe.xoxp-', 'xoxe.xoxb-', 'xapp-'],
    '[\\w%-]{8,512}',
    '{d12}-{d12}-{a24}',
  ),
  rule(
    'webhook',
    'hooks.slack.com/',
    /(?<=hooks\.slack\.com\/)(?:services|workflows|triggers)\/[\w+/-]{20,128}/g,
    'https://hooks.slack.com/services/T{U8}/B{U8}/{a24}',
  ),
  rule(
    'webhook',
    ['/api/webhooks/'],
    /(?<=\/api\/webhooks\/)\d{15,22}\/[\w-]{40,100}/g,
    'https://discord.com/api/webhooks/{d18}/{w68}',
  ),
  rule(
    'webhook',
    ['webhook.office.com/', 'outlook.office.com/webhook', '.logic.azure.com'],
    /(?<=office\.com\/webhookb?2?\/|logic\.azure\.com(?::443)?\/workflows\/)[\w@/.-]{32,300}/g,
    'https://x.webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h36}/IncomingWebhook/{h32}/{h36}',
  ),
  rule(
    'webhook',
    ['events.pagerduty.com/integration/', 'hooks.zapier.com/hooks/catch/', 'maker.ifttt.com/', 'api.opsgenie.com/'],
    /(?<=pagerduty\.com\/integration\/|zapier\.com\/hooks\/catch\/|\/with\/key\/)[\w/-]{10,128}/g,
    'https://events.pagerduty.com/integration/{h32}/enqueue',
  ),
  prefixed(
    'stripe-key',
    ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'pk_live_', 'pk_test_', 'sk_prod_', 'rk_prod_', 'whsec_'],
    '[A-Za-z0-9+/=]{10,255}',
    '{a24}',
  ),
  prefixed('npm-token', 'npm_', '[A-Za-z0-9]{30,64}', '{a36}'),
  prefixed('pypi-token', ['pypi-AgE', 'pypi-AgN'], '[\\w-]{40,512}', '{w120}'),
  prefixed('rubygems-key', 'rubygems_', '[a-f0-9]{40,64}', '{h48}'),
  prefixed('nuget-key', 'oy2', '[a-z0-9]{43}(?![A-Za-z0-9])', '{l43}'),
  rule('crates-token', 'cio', /(?<![A-Za-z0-9])cio[a-zA-Z0-9]{32}(?![A-Za-z0-9])/g, 'cio{a32}', ['cio: read']),
  prefixed('clojars-token', 'CLOJARS_', '[A-Za-z0-9]{50,70}', '{l60}'),
  prefixed('docker-token', ['dckr_pat_', 'dckr_oat_'], '[\\w-]{20,64}', '{w27}'),
  prefixed('artifactory-key', ['AKCp', 'cmVmdGtu'], '[A-Za-z0-9]{50,80}', '{a69}'),
  prefixed('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-or-v1-', 'sk-lf-'], '[\\w-]{20,255}', '{w48}'),
  prefixed('anthropic-key', 'sk-ant-', '[\\w-]{20,255}', 'api03-{w93}AA'),
  prefixed('api-key', 'sk-', '(?=[\\w-]{0,40}\\d)[A-Za-z0-9][\\w-]{19,254}', '{a16}7{a31}'),
  prefixed('huggingface-token', ['hf_', 'api_org_'], '[A-Za-z0-9]{30,64}', '{a34}'),
  prefixed(
    'ai-key',
    ['gsk_', 'pplx-', 'xai-', 'pcsk_', 'r8_', 'fw_', 'nvapi-', 'lsv2_pt_', 'lsv2_sk_', 'tvly-'],
    '[\\w-]{30,128}',
    '{a48}',
  ),
  prefixed('sendgrid-key', 'SG.', '[\\w-]{16,32}\\.[\\w-]{16,64}', '{w22}.{w43}'),
  rule('mailgun-key', 'key-', /(?<![\w-])key-[a-f0-9]{32}(?![\w-])/g, 'key-{h32}', ['key-rotation', 'primary-key-idx']),
  rule(
    'mailchimp-key',
    DIGITS.map(d => `-us${d}`),
    /(?<![A-Za-z0-9])[0-9a-f]{32}-us\d{1,2}(?![\w-])/g,
    '{h32}-us12',
    ['cluster-us1', 'ip-us2'],
  ),
  prefixed('brevo-key', ['xkeysib-', 'xsmtpsib-'], '[\\w-]{40,128}', '{h64}-{a16}'),
  rule(
    'telegram-token',
    DIGITS.map(d => `${d}:AA`),
    /(?<!\d)\d{8,10}:AA[\w-]{30,40}(?![\w-])/g,
    '{d9}7:AA{w33}',
    ['12:34:AAB'],
  ),
  prefixed('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], '[a-f0-9]{60,70}', '{h64}'),
  prefixed('heroku-key', 'HRKU-', '[\\w-]{36,80}', '{h8}-{h4}-{h4}-{h4}-{h12}'),
  prefixed('fly-token', ['fo1_', 'fm1_', 'fm1r_', 'fm2_'], '[\\w+/=,-]{30,1024}', '{a60}'),
  prefixed('netlify-token', ['nfp_', 'vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'], '[A-Za-z0-9]{24,64}', '{a36}'),
  rule('cloudflare-key', 'v1.0-', /(?<![\w.])v1\.0-[a-f0-9]{24}-[a-f0-9]{100,160}/g, 'v1.0-{h24}-{h146}'),
  prefixed('cloudflare-key', ['cfut_', 'cfat_', 'cfk_'], '[\\w-]{40,64}', '{a48}'),
  prefixed('doppler-token', ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'], '[\\w.-]{30,100}', '{a43}'),
  prefixed('vault-token', ['hvs.', 'hvb.', 'hvr.'], '[\\w-]{20,300}', '{w95}'),
  rule('terraform-token', '.atlasv1.', /(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{50,80}/g, '{a14}.atlasv1.{w67}'),
  prefixed('pulumi-token', 'pul-', '[a-f0-9]{40}(?![a-f0-9])', '{h40}'),
  rule('databricks-token', 'dapi', /(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])/g, 'dapi{h32}', ['sendapi called']),
  prefixed('newrelic-key', ['NRAK-', 'NRII-', 'NRRA-', 'NRJS-', 'NRIQ-', 'NRAA-'], '[\\w-]{19,64}', '{U27}'),
  rule('newrelic-key', ['NRAL'], /(?<![A-Za-z0-9])[0-9a-f]{36}NRAL(?![A-Za-z0-9])/g, '{h36}NRAL'),
  prefixed('grafana-token', ['glsa_', 'glc_', 'eyJrIjoi'], '[\\w+/=-]{30,400}', '{a32}_{h8}'),
  prefixed('sentry-token', ['sntrys_', 'sntryu_', 'sntryi_'], '[\\w+/=-]{40,400}', '{a64}'),
  rule(
    'sentry-dsn',
    '.sentry.io',
    /(?<=https?:\/\/)[0-9a-f]{32}(?=@[\w.]{0,64}sentry\.io)/g,
    'https://{h32}@o1.ingest.sentry.io/4',
  ),
  prefixed('linear-key', ['lin_api_', 'lin_oauth_'], '[A-Za-z0-9]{32,64}', '{a40}'),
  prefixed('notion-token', ['ntn_', 'secret_'], '(?=[A-Za-z]{0,40}\\d)[A-Za-z0-9]{40,50}(?![A-Za-z0-9])', '5{a42}'),
  prefixed('figma-token', ['figd_', 'figo_', 'figu_'], '[\\w-]{30,64}', '{w40}'),
  rule('airtable-token', 'pat', /(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[a-f0-9]{64}/g, 'pat{a14}.{h64}', ['pattern', '/path/to.x']),
  rule('hubspot-token', ['pat-na', 'pat-eu'], /(?<![\w-])pat-(?:na|eu)\d-[0-9a-f-]{36}/g, 'pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}'),
  prefixed('shopify-token', ['shpat_', 'shpca_', 'shppa_', 'shpss_', 'shptka_'], '[a-fA-F0-9]{32}', '{h32}'),
  prefixed('square-token', ['sq0atp-', 'sq0csp-', 'sq0idp-', 'EAAAE', 'EAAAl'], '[\\w+=-]{22,80}', '{w58}'),
  prefixed('paypal-token', ['access_token$production$', 'access_token$sandbox$'], '[a-z0-9]{16}\\$[a-f0-9]{32}', '{l16}{$}{h32}'),
  prefixed(
    'plaid-token',
    ['access-sandbox-', 'access-development-', 'access-production-', 'public-sandbox-'],
    '[0-9a-f-]{36}',
    '{h8}-{h4}-{h4}-{h4}-{h12}',
  ),
  prefixed(
    'payment-key',
    ['FLWSECK_TEST-', 'FLWSECK-', 'EZAK', 'EZTK', 'APP_USR-', 'live_pub_', 'test_pub_'],
    '[\\w-]{31,80}',
    '{a54}',
  ),
  prefixed('facebook-token', ['EAACEd', 'EAAG', 'EAAB', 'EAAJ', 'EAAM', 'EAAD'], '[A-Za-z0-9]{60,400}', '{a120}'),
  prefixed('twitter-token', 'AAAAAAAAAAAAAAAAAAAAA', '[A-Za-z0-9%]{50,120}', '{a80}'),
  prefixed('dropbox-token', ['sl.u.', 'sl.'], '[\\w-]{100,1500}', '{w140}'),
  prefixed(
    'dynatrace-token',
    ['dt0c01.', 'dt0s01.', 'dt0s16.', 'dt0s02.', 'dt0s08.'],
    '[A-Z0-9]{8,24}\\.[A-Z0-9]{60,70}',
    '{U24}.{U64}',
  ),
  prefixed(
    'build-token',
    ['bkua_', 'CCIPAT_', 'CCIPRJ_', 'PMAK-', 'PMAT-', 'nxc_', 'snyk_', 'sgp_', 'squ_', 'sqp_', 'sqa_', 'codecov_'],
    '[\\w-]{20,120}',
    '{h40}',
  ),
  prefixed(
    'database-token',
    [
      'pscale_tkn_',
      'pscale_pw_',
      'pscale_oauth_',
      'sbp_',
      'sb_secret_',
      'mdb_sa_sk_',
      'napi_',
      'tskey-auth-',
      'tskey-api-',
      'tskey-client-',
    ],
    '[\\w.=-]{24,80}',
    '{a40}',
  ),
  prefixed(
    'api-key',
    [
      'rdme_',
      'tfp_',
      'sdk-live-',
      'phc_',
      'phx_',
      'PRK_',
      'shippo_live_',
      'shippo_test_',
      'duffel_live_',
      'duffel_test_',
      'ico-',
      'fio-u-',
      'CFPAT-',
      'apify_api_',
      'rnd_',
      'pnu_',
      'key_live_',
      'live_sk_',
      'api_live_',
      'sk_',
    ],
    '(?=[\\w-]{0,40}\\d)[\\w-]{30,128}',
    '7{a48}',
  ),
  prefixed('1password-token', ['ops_eyJ', 'A3-'], '[\\w+/=-]{28,800}', '{U6}-{U11}-{U5}-{U5}-{U5}'),
  prefixed('openshift-token', 'sha256~', '[\\w-]{43}', '{w43}'),
  prefixed('alibaba-key', ['LTAI', 'AKID', 'AKLT'], '(?=[A-Za-z]{0,30}\\d)[A-Za-z0-9]{16,48}(?![A-Za-z0-9])', '5t{a18}'),
  prefixed('yandex-key', ['AQVN', 'y0_', 't1.9'], '[\\w=.-]{35,250}', '{a86}'),
  prefixed('mapbox-token', ['sk.eyJ', 'pk.eyJ', 'tk.eyJ'], '[\\w-]{30,300}\\.[\\w-]{16,64}', '{a60}.{a22}'),
  rule(
    'discord-token',
    ['discord', 'bot '],
    /(?<![\w.-])[MNO][A-Za-z\d]{23,27}\.[\w-]{6}\.[\w-]{27,40}/g,
    'discord bot token M{a23}.{w6}.{w27}',
  ),
  rule(
    'twilio-key',
    [...'0123456789abcdef'].map(d => `SK${d}`),
    /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])/g,
    'SK{h32}',
    ['task executed'],
  ),
  rule(
    'password-hash',
    ['$1$', '$2a$', '$2b$', '$2y$', '$5$', '$6$', '$y$', '$argon2', '$scrypt$', '$pbkdf2'],
    /\$(?:1|2[aby]|5|6|y|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,10})\$[\w./$=,+-]{20,200}/g,
    ['root:$6{$}{a16}{$}{a86}:19000', '$2b$12{$}{a53}'],
  ),
  rule(
    'password',
    'login',
    /(?<=\bmachine \S{1,256}\s{1,4}login \S{1,128}\s{1,4}password )\S{1,256}/g,
    'machine api.example.org login bob password {a12}',
  ),
  rule(
    'password',
    ['sshpass', '--user', 'curl', 'mysql', 'redis-cli', 'docker login', 'mariadb', 'ldap'],
    /(?<=\bsshpass -p ?["']?|\bcurl\b[^\n]{0,200} (?:-u|--user)[ =]["']?[\w.@-]{1,64}:|\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,120} -p|\bredis-cli\b[^\n]{0,120} -a |\bdocker login\b[^\n]{0,120} -p |\bldap\w+\b[^\n]{0,120} -w )[^\s"']{3,128}/g,
    ['sshpass -p {a10} ssh x', 'curl -u bob:{a12} https://x', 'mysql -u root -p{a10} shop'],
    ['mysql -u root -p shop is'],
  ),
  rule(
    'token',
    ['bearer ', 'bearer%20'],
    /(?<=\b(?:[Bb]earer|BEARER)(?: {1,2}|%20)["']?)(?![a-z_]{1,32}=[^=\s])(?=[\w.~+/=-]{0,200}[\d_.+/=~A-Z])[\w.~+/=-]{8,4096}/g,
    ['Authorization: Bearer {a32}', 'using bearer {a24}'],
    ['bearer authentication required'],
  ),
  rule(
    'credentials',
    'basic ',
    /(?<=\b(?:[Bb]asic|BASIC) )(?=[A-Za-z0-9+/]{0,200}[A-Z0-9=])[A-Za-z0-9+/]{8,4096}={0,2}(?![\w ])/g,
    ['Authorization: Basic {a24}=='],
  ),
  rule(
    'token',
    ['ssws ', 'geniekey ', 'splunk ', 'apikey ', 'snowflake token='],
    /(?<=\b(?:SSWS|GenieKey|Splunk|ApiKey|Snowflake Token=)["' ]{1,2})[\w.~+/=-]{16,512}/gi,
    ['authorization: SSWS 00{a40}'],
  ),
  rule('secret', 'otpauth:', /(?<=otpauth:\/\/[^\s]{1,256}[?&]secret=)[A-Z2-7]{8,128}/gi, 'otpauth://totp/a:b?secret={U16}'),
  rule(
    'signature',
    ['signature=', 'x-goog-signature'],
    /(?<=[?&](?:X-Goog-)?Signature=)[\w%~/+=-]{16,1024}/gi,
    'https://x/?Signature={a27}%3D',
  ),
]
