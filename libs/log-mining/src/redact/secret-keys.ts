/**
 * Names under which secrets are kept, in any writing: DB_PASSWORD, clientSecret, x-api-key, http.request.header.authorization.
 *
 * `weak` names stand for harmless values as well (a token of a parser, a session of a coordinator): there the value must look random.
 */
export interface SecretKey {
  readonly kind: string
  /** Begins a name or a part of one; what follows is judged by PLAIN_TAIL. */
  readonly name: string
  /** What finds it fast: three characters or more of every match. */
  readonly triggers: readonly string[]
  readonly weak?: true
}
const S = '[_. -]?'

export const secretKeys: readonly SecretKey[] = [
  {
    kind: 'password',
    name: 'passw(?:or)?d|passwd|passwort|passphrase|passcode|mot_de_passe|contrase[nñ]a|senha|wachtwoord',
    triggers: ['passw', 'passphrase', 'passcode', 'mot_de_passe', 'contrase', 'senha', 'wachtwoord'],
  },
  {
    kind: 'password',
    name: '(?<![a-z])pass|(?<=[a-z])Pass|(?:user|db|redis|auth|smtp|mail|admin|root|ldap|mq|ftp)pass|(?<![A-Za-z])[A-Z_]{0,32}PASS',
    triggers: ['pass=', 'pass"', 'pass:', "pass'", 'pass ', 'pass\\', 'pass>'],
    weak: true,
  },
  { kind: 'password', name: 'pwd', triggers: ['pwd'] },
  {
    kind: 'secret',
    name: `secret(?:${S}(?:access${S})?key|${S}id)?|signing${S}key|hmac${S}(?:key|secret)|seed${S}phrase|mnemonic|recovery${S}codes?`,
    triggers: ['secret', 'signing', 'hmac', 'seed', 'mnemonic', 'recovery'],
  },
  {
    kind: 'api-key',
    name: `api${S}key|app(?:lication)?${S}key|auth${S}key|access${S}key|account${S}key|service${S}key|subscription${S}key|consumer${S}key|licen[cs]e${S}key|integration${S}key|routing${S}key(?=.{0,4}[0-9a-f]{32})|storage${S}key|write${S}key|ingest(?:ion)?${S}key|client${S}key(?:${S}data)?|server${S}key|admin${S}key|master${S}key|shared${S}(?:access${S})?key|token${S}key|ssh${S}key(?=.{0,6}[A-Za-z0-9+/]{40})|deploy${S}key`,
    triggers: [
      'apikey',
      'api_key',
      'api-key',
      'api.key',
      'api key',
      'appkey',
      'app_key',
      'app-key',
      'app key',
      'ation_key',
      'ationkey',
      'ation-key',
      'auth_key',
      'authkey',
      'auth-key',
      'access_key',
      'accesskey',
      'access-key',
      'access.key',
      'access key',
      'account_key',
      'accountkey',
      'service_key',
      'servicekey',
      'service-key',
      'subscription-key',
      'subscription_key',
      'subscriptionkey',
      'consumer_key',
      'consumerkey',
      'license_key',
      'licensekey',
      'license-key',
      'licence_key',
      'routing_key',
      'routingkey',
      'storage_key',
      'storagekey',
      'write_key',
      'writekey',
      'ingest_key',
      'client-key',
      'client_key',
      'clientkey',
      'server_key',
      'serverkey',
      'admin_key',
      'admin-key',
      'adminkey',
      'master_key',
      'masterkey',
      'master-key',
      'shared_key',
      'sharedkey',
      'sharedaccesskey',
      'token_key',
      'ssh_key',
      'sshkey',
      'deploy_key',
      'deploy-key',
    ],
  },
  {
    kind: 'private-key',
    name: `priv(?:ate)?${S}key|encrypt(?:ion)?${S}key|decrypt(?:ion)?${S}key|data${S}key(?=.{0,4}[A-Za-z0-9+/]{24})`,
    triggers: [
      'private_key',
      'privatekey',
      'private-key',
      'private.key',
      'private key',
      'privkey',
      'priv_key',
      'encrypt',
      'decrypt',
      'data_key',
      'datakey',
    ],
  },
  {
    kind: 'token',
    name: `(?:refresh|access|auth|id|api|client|bearer|deploy|bot|registration|bootstrap|vault|git(?:hub|lab)|slack|npm|pypi|security|personal)${S}(?:auth${S})?token`,
    triggers: ['token'],
  },
  { kind: 'token', name: 'token|jwt|bearer', triggers: ['token', 'jwt', 'bearer'], weak: true },
  {
    kind: 'session',
    name: `session${S}(?:id|key|token|cookie)|sess${S}id|(?<![A-Za-z])sid|csrf|xsrf|jsessionid|phpsessid|asp\\.net_sessionid|connect\\.sid`,
    triggers: ['session', 'sess_id', 'sessid', 'sess-id', 'sid', 'csrf', 'xsrf'],
    weak: true,
  },
  {
    kind: 'credentials',
    name: 'credentials?|(?<![A-Za-z])_?auth(?=["\']?\\s?[:=]\\s?["\']?[A-Za-z0-9+/]{16})|cred(?=["\']?\\s?[:=])',
    triggers: ['credential', 'auth', 'cred'],
    weak: true,
  },
  {
    kind: 'signature',
    name: '(?<![A-Za-z])(?:sig|signature|hmac)',
    triggers: ['sig=', 'sig"', 'sig:', 'signature', 'hmac'],
    weak: true,
  },
  {
    kind: 'code',
    name: `(?<![A-Za-z])(?:otp|totp|mfa|2fa)(?:${S}(?:code|secret|key))?|one${S}time${S}(?:code|password)|verification${S}code|auth(?:orization)?${S}code|reset${S}code`,
    triggers: [
      'otp',
      'mfa',
      '2fa',
      'one-time',
      'one_time',
      'onetime',
      'verification',
      'auth_code',
      'authcode',
      'authorization_code',
      'reset_code',
    ],
  },
  {
    kind: 'pin',
    name: `(?<![A-Za-z])(?:cvv2?|cvc2?|pin${S}code|card${S}pin|ssn|social${S}security(?:${S}n(?:umber|o))?)`,
    triggers: ['cvv', 'cvc', 'pin_code', 'pincode', 'pin-code', 'pin code', 'card_pin', 'cardpin', 'ssn', 'social'],
  },
]

/** Headers whose whole value is secret. */
export const SECRET_HEADERS = 'proxy-authorization|authorization|x-amz-security-token|x-vault-token|set-cookie2?|cookie'

/** After a secret's name these make it the name of something else: secretName, token_type, password_changed_at. */
export const PLAIN_TAIL =
  /(?:name|type|types|count|counts|ref|refs|policy|policies|provider|providers|length|len|size|ttl|timeout|timeouts?ms|interval|expir\w*|age|at|url|uri|endpoint|path|file|dir|folder|class|enabled|disabled|required|field|format|version|status|state|limit|max|min|index|source|store|storage|manager|mode|method|algorithm|alg|used|hint|change|changed|reset|rotation|rotated|days|seconds|ms|issuer|audience|scope|scopes|usage|bucket|izer|ized|ization|ing|handler|service|factory|filter|check|validator|validation|strength|rules?|prompt|auth|authentication|required|s_total|_total|s|[_.-]?ids?|_in|_out|num|no|pos|position|line|offset|rate|ratio|budget|window)["']?$/i
