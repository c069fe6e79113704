/** Which page is shown: the address, changed without loading anew. */
import { signal } from '@preact/signals'

export const address = signal(location.pathname + location.search)
export const goTo = (/** @type {string} */ url) => {
  history.pushState(null, '', url)
  address.value = url
  document.getElementById('main')?.focus()
  scrollTo(0, 0)
}
addEventListener('popstate', () => (address.value = location.pathname + location.search))
document.addEventListener('click', e => {
  const link = /** @type {HTMLElement} */ (e.target).closest?.('a')
  if (!link || link.target || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey) return
  const url = new URL(link.href, location.href)
  if (url.origin !== location.origin || /^\/(?:api|docs|login|openapi)/.test(url.pathname) || link.hasAttribute('download'))
    return
  e.preventDefault()
  goTo(url.pathname + url.search)
})
