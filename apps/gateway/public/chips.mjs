// The ingredient field: an input with the chosen ingredients as chips before it.

const maxIngredients = 12
const maxCharacters = 40

/**
 * Sets up the field. `onChange(settled)` is called after each change, with false while a word is being typed; `announce(text)`
 * informs screen readers.
 */
export function createChips({ field, list, input, onChange, announce }) {
  let chosen = []

  const split = (text) =>
    text
      .split(',')
      .map((one) => one.trim().toLowerCase().replace(/\s+/g, ' ').slice(0, maxCharacters))
      .filter(Boolean)

  function add(text) {
    for (const name of split(text)) {
      if (chosen.includes(name)) announce(`${name} is already in the list`)
      else if (chosen.length >= maxIngredients) announce(`At most ${maxIngredients} ingredients are allowed`)
      else {
        chosen.push(name)
        announce(`${name} added`)
      }
    }
    input.value = ''
    render()
    onChange(true)
  }

  function remove(index, focusNext) {
    const [name] = chosen.splice(index, 1)
    render()
    announce(`${name} removed`)
    if (focusNext) (buttons()[Math.min(index, chosen.length - 1)] ?? input).focus()
    onChange(true)
  }

  const buttons = () => [...list.querySelectorAll('button')]

  function render() {
    list.replaceChildren(
      ...chosen.map((name, index) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.setAttribute('aria-label', `Remove ${name}`)
        button.textContent = '×'
        button.addEventListener('click', () => remove(index, true))
        button.addEventListener('keydown', (event) => onChipKey(event, index))
        const item = document.createElement('li')
        item.className = 'chip'
        item.append(name, button)
        return item
      }),
    )
    const isFull = chosen.length >= maxIngredients
    input.placeholder = chosen.length === 0 ? 'tomato, basil, garlic…' : isFull ? '' : 'and…'
    input.disabled = isFull
  }

  function onChipKey(event, index) {
    const move = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: chosen.length }[event.key]
    if (move !== undefined) (buttons()[Math.max(0, move)] ?? input).focus()
    else if (event.key === 'Delete' || event.key === 'Backspace') remove(index, true)
    else return
    event.preventDefault()
  }

  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault()
      if (input.value.trim()) add(input.value)
    } else if (input.value === '' && event.key === 'Backspace' && chosen.length > 0) {
      remove(chosen.length - 1, false)
      input.focus()
    } else if (input.selectionStart === 0 && input.selectionEnd === 0 && event.key === 'ArrowLeft') {
      buttons().at(-1)?.focus()
    }
  })
  // On-screen keyboards send no key event for a comma.
  input.addEventListener('input', () => (input.value.includes(',') ? add(input.value) : onChange(false)))
  input.addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text').replace(/[\n;]+/g, ',')
    if (!text.includes(',')) return
    event.preventDefault()
    add(text)
  })
  input.addEventListener('blur', () => input.value.trim() && add(input.value))
  field.addEventListener('click', (event) => event.target === field && input.focus())

  return {
    /** The chosen ingredients, and the word that is being typed once it is long enough to mean something. */
    get ingredients() {
      const draft = split(input.value)[0]
      return draft && draft.length >= 3 && !chosen.includes(draft) ? [...chosen, draft] : [...chosen]
    },
    set(names) {
      chosen = [...new Set(names.flatMap(split))].slice(0, maxIngredients)
      input.value = ''
      render()
    },
  }
}
