/** Random parts of names that Kubernetes gives: letters without vowels, and digits without 0, 1 and 3; or any mix of letters and digits. */
const isRandom = (word: string): boolean =>
  /^[bcdfghjklmnpqrstvwxz2456789]+$/.test(word) || /^(?=.*\d)(?=.*[a-z])[a-z0-9]+$/.test(word)

/**
 * The workload a pod belongs to, by its name: `cart-7d9f8b6c5-x2x4z` of a deployment, `cart-x2x4z` of a daemon set or job, `cart-0` of a stateful set and
 * `cart-28391040-x2x4z` of a cron job are all `cart`. A name that carries nothing of the kind is returned as it is.
 */
export const workloadOf = (pod: string): string => {
  const words = pod.split('-')
  const last = words.at(-1) as string
  if (words.length >= 3) {
    const before = words.at(-2) as string
    const isHash = /^[a-z0-9]{3,10}$/.test(before) && isRandom(before) && /^[a-z0-9]{3,5}$/.test(last)
    if ((isHash && (isRandom(last) || /\d/.test(before))) || (/^\d{8,}$/.test(before) && /^[a-z0-9]{5}$/.test(last)))
      return words.slice(0, -2).join('-')
  }
  if (words.length >= 2 && (/^\d{1,4}$/.test(last) || (last.length === 5 && isRandom(last)))) return words.slice(0, -1).join('-')
  return pod
}
