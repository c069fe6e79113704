/**
 * What NetworkPolicies allow, by their written semantics: no cluster network is involved, so this says what the policies mean and not that a
 * network plug-in enforces them. A connection passes when the source's egress and the target's ingress both allow it; a pod that no policy of a
 * direction selects is open in that direction; policies only ever add.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import type { V1LabelSelector, V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '@kubernetes/client-node'

export interface End {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Container ports by name. */
  readonly ports?: Readonly<Record<string, number>>
  /** Outside the cluster when there are no labels of a pod to go by. */
  readonly address?: string
}
export interface Connection {
  readonly from: End
  readonly to: End
  readonly port: number
  readonly protocol?: 'TCP' | 'UDP'
}

const matches = (selector: V1LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    return operator === 'In' ? values.includes(value) : !values.includes(value)
  })

const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const inBlock = (cidr: string, address: string): boolean => {
  const [base, bits] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  return Math.floor(number(base) / size) === Math.floor(number(address) / size)
}

const isPeer = (peer: V1NetworkPolicyPeer, end: End, home: string): boolean => {
  if (peer.ipBlock)
    return (
      end.address !== undefined &&
      inBlock(peer.ipBlock.cidr, end.address) &&
      !(peer.ipBlock.except ?? []).some(e => inBlock(e, end.address as string))
    )
  if (end.address) return false
  const namespaces = peer.namespaceSelector
    ? matches(peer.namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace })
    : end.namespace === home
  return namespaces && (!peer.podSelector || matches(peer.podSelector, end.labels))
}

const isPort = ({ port, endPort, protocol = 'TCP' }: V1NetworkPolicyPort, to: End, asked: Connection): boolean => {
  if (protocol !== (asked.protocol ?? 'TCP')) return false
  if (port === undefined) return true
  const first = typeof port === 'string' ? to.ports?.[port] : (port as number)
  return first !== undefined && asked.port >= first && asked.port <= (endPort ?? first)
}

export function allows(policies: readonly V1NetworkPolicy[], asked: Connection): boolean {
  const passes = (direction: 'Ingress' | 'Egress') => {
    const [subject, other] = direction === 'Ingress' ? [asked.to, asked.from] : [asked.from, asked.to]
    if (subject.address) return true
    const mine = policies.filter(
      ({ metadata, spec }) =>
        metadata?.namespace === subject.namespace &&
        spec?.policyTypes?.includes(direction) &&
        matches(spec.podSelector, subject.labels),
    )
    if (mine.length === 0) return true
    return mine.some(({ spec }) =>
      (direction === 'Ingress'
        ? (spec?.ingress ?? []).map(r => ({ peers: r._from, ports: r.ports }))
        : (spec?.egress ?? []).map(r => ({ peers: r.to, ports: r.ports }))
      ).some(
        ({ peers, ports }) =>
          (!peers?.length || peers.some(p => isPeer(p, other, subject.namespace))) &&
          (!ports?.length || ports.some(p => isPort(p, asked.to, asked))),
      ),
    )
  }
  return passes('Egress') && passes('Ingress')
}
