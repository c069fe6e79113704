/** Yes or no to a decision: once, whoever clicks twice or loses the connection. */
import { useState } from 'preact/hooks'
import { decided, say } from '/console/store.js'
import { html, plainName, tell, toast } from '/console/ui.js'

/** @typedef {Record<string, any>} Rec */
export const Approve = (/** @type {Rec} */ { decision, over }) => {
  const [busy, setBusy] = useState('')
  const [done, setDone] = useState(/** @type {boolean | null} */ (null))
  const answer = async (/** @type {boolean} */ approved) => {
    if (busy) return
    setBusy(approved ? 'yes' : 'no')
    try {
      await say('POST', `/api/v1/decisions/${decision.decision}/approval`, { approved })
      setDone(approved)
      toast(
        approved
          ? `Approved: ${decision.action} ${plainName(decision.target)}`
          : `Rejected: ${decision.action} ${plainName(decision.target)}`,
      )
    } catch (/** @type {any} */ error) {
      if (error.status === 409) setDone(null)
      tell(error)
    } finally {
      setBusy('')
    }
  }
  if (done !== null) return html`<span class=${`tag ${done ? 'good' : 'bad'}`}>${done ? 'approved' : 'rejected'}</span>`
  const late = over ?? decided.value.has(decision.decision)
  return html`<button class="main" disabled=${Boolean(busy) || Boolean(late)} onClick=${() => answer(true)}>${busy === 'yes' ? 'Approving…' : 'Approve'}</button>
    <button disabled=${Boolean(busy) || Boolean(late)} onClick=${() => answer(false)}>${busy === 'no' ? 'Rejecting…' : 'Reject'}</button>`
}
