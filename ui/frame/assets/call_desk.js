// The call desk without a mouse and without loss. Streamlit hands a field's text over when the field is left; here also when
// somebody pauses in it, before anything is saved and before the page is left. A field that lost the line while somebody
// typed in it is gone back to. Streamlit's own shortcuts miss keys that are pressed while the page changes; these do not.
if (!window.callDesk) {
  const LOOK_MS = 200
  const WITH_ALT = { KeyN: "new-next", KeyZ: "new-undo", KeyB: "new-back_" } // by place on the keyboard, in any layout
  const ALWAYS = ["new-next", "new-submit"]
  const TRIES = 25 // of LOOK_MS
  const HANDED_MS = 30 // until Streamlit has taken what was handed over, or was left just now: a press sent before would save without it
  const PAUSE_MS = 600 // without a key: what was typed so far is handed over, in mid-field
  const unsaid = new Set() // fields typed in and not left since
  let typedAt = 0
  let last = null // where the cursor was
  let cutOff = null // where it was when the line was lost

  const form = () => document.querySelector(".st-key-new-form")
  const isOurs = (node) =>
    form()?.contains(node) && (node instanceof HTMLTextAreaElement || (node instanceof HTMLInputElement && ["text", "tel"].includes(node.type)))

  // Streamlit hears that the field was left; the cursor stays where it is.
  const handOver = (fields) => {
    for (const field of fields) {
      if (!field.isConnected || field.disabled) continue
      field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
      if (field === document.activeElement) field.dispatchEvent(new FocusEvent("focusin", { bubbles: true }))
    }
  }

  document.addEventListener(
    "input",
    (event) => {
      if (!isOurs(event.target)) return
      unsaid.add(event.target)
      typedAt = performance.now()
    },
    true,
  )
  document.addEventListener("focusin", (event) => (last = isOurs(event.target) ? event.target : null), true)
  document.addEventListener("focusout", (event) => event.target.disabled || unsaid.delete(event.target), true)
  window.addEventListener("beforeunload", () => handOver([...unsaid]))

  const buttonOf = (name) => document.querySelector(`[class*="st-key-${name}"] button`)

  // A button the page always has may not be drawn yet when a fast hand asks for it.
  const press = (name, tries = ALWAYS.includes(name) ? TRIES : 0) => {
    handOver([...unsaid])
    if (buttonOf(name)) setTimeout(() => buttonOf(name)?.click(), HANDED_MS)
    else if (tries) setTimeout(press, LOOK_MS, name, tries - 1)
  }

  const ofShortcut = (code) => {
    const name = WITH_ALT[code] ?? (/^Digit[1-9]$/.test(code) && `new-offer_${code.at(-1)}`)
    return name && (ALWAYS.includes(name) || buttonOf(name)) && name
  }

  // The cursor into a widget. On opening the page only where nobody is typing: a server that was started anew opens it, too,
  // under the hands of somebody who goes on.
  const focus = (name, isOpening, tries = 4 * TRIES) => {
    if (isOpening && (cutOff?.isConnected || last?.disabled || isOurs(document.activeElement))) return
    const field = document.querySelector(`.st-key-${name} :is(input, textarea)`)
    if (field) field.focus()
    else if (tries) setTimeout(focus, LOOK_MS / 4, name, isOpening, tries - 1)
  }
  window.callDesk = { focus }

  setInterval(() => {
    if (last?.disabled) cutOff = last
    if (cutOff && !cutOff.disabled) {
      if (cutOff.isConnected && document.activeElement === document.body) cutOff.focus()
      cutOff = null
    }
    const rests = performance.now() - typedAt > PAUSE_MS
    handOver([...unsaid].filter((field) => rests || field !== document.activeElement))
  }, LOOK_MS)

  window.addEventListener(
    "keydown",
    (event) => {
      if (!form() || event.isComposing) return
      const at = event.target
      if (event.key === "Escape" && isOurs(at) && at.role !== "combobox") {
        event.stopPropagation() // nothing typed is to be emptied by a slip of the finger
        return
      }
      const isAlt = event.altKey && !(event.ctrlKey || event.metaKey || event.shiftKey)
      const wanted = isAlt && ofShortcut(event.code)
      if (wanted) {
        event.preventDefault()
        event.stopImmediatePropagation()
        if (!event.repeat) press(wanted)
        return
      }
      if (event.key !== "Enter") return
      const isLine = at instanceof HTMLInputElement && isOurs(at) && at.role !== "combobox"
      if (!(event.ctrlKey || event.metaKey || isLine)) return
      event.preventDefault()
      event.stopImmediatePropagation()
      if (!event.repeat) press("new-submit")
    },
    true,
  )
}
