// The page: the address has the state of the search, and everything shown follows from it.
import { ApiProblem, findRecipes, followEvents } from './api.mjs'
import { createChips } from './chips.mjs'
import { element, listText, placeholderCards, recipeCard, setOpen } from './view.mjs'

const typingMs = 350
const settledMs = 80
const suggestionMs = 900
const slowMs = 3000
const firstRetryMs = 1000
const longestRetryMs = 30_000

const starters = [
  ['tomato', 'basil', 'garlic'],
  ['eggs', 'potatoes', 'onion'],
  ['chickpeas', 'spinach', 'lemon'],
  ['chicken', 'rice', 'lime'],
  ['mushrooms', 'thyme', 'cream'],
  ['apples', 'cinnamon', 'oats'],
]

const at = (id) => document.getElementById(id)
const form = at('search')
const announce = (text) => {
  at('status').textContent = text
}
const chips = createChips({
  field: at('field'),
  list: at('chips'),
  input: at('ingredient'),
  onChange: changed,
  announce,
})

let openId = ''
const current = { recipes: [], key: '' }
let searching = new AbortController()
let suggesting = new AbortController()
let searchTimer = 0
let suggestionTimer = 0

// The state of the search, to and from the address.

function asked() {
  return { ingredients: chips.ingredients, diet: form.elements.diet.value, max: form.elements.max.value }
}

function readAddress() {
  const query = new URLSearchParams(location.search)
  chips.set((query.get('i') ?? '').split(','))
  form.elements.diet.value = ['vegetarian', 'vegan'].includes(query.get('diet')) ? query.get('diet') : ''
  form.elements.max.value = query.get('max') ?? ''
  if (form.elements.max.selectedIndex < 0) form.elements.max.value = ''
  openId = query.get('recipe') ?? ''
}

function writeAddress({ ingredients, diet, max }) {
  const query = new URLSearchParams()
  if (ingredients.length > 0) query.set('i', ingredients.join(','))
  if (diet) query.set('diet', diet)
  if (max) query.set('max', max)
  if (openId) query.set('recipe', openId)
  // A comma is valid in a query; encoded, the address would be hard to read.
  const text = query.toString().replaceAll('%2C', ',')
  history.replaceState(null, '', text ? `?${text}` : location.pathname)
  document.title =
    ingredients.length > 0 ? `${listText(ingredients)} – what is in the kitchen?` : 'What is in the kitchen?'
}

// Searching.

function changed(isSettled) {
  clearTimeout(searchTimer)
  searchTimer = setTimeout(search, isSettled ? settledMs : typingMs)
}

async function search({ again = false } = {}) {
  const question = asked()
  const key = JSON.stringify(question)
  if (key === current.key && !again) return
  searching.abort()
  clearTimeout(searchTimer)
  clearTimeout(suggestionTimer)
  suggesting.abort()
  current.key = key
  writeAddress(question)
  hideNotice()

  const isEmpty = question.ingredients.length === 0
  at('welcome').hidden = !isEmpty
  at('table').hidden = isEmpty
  at('hint').hidden = !isEmpty
  if (isEmpty) {
    announce('')
    current.recipes = []
    at('recipes').replaceChildren()
    return
  }

  searching = new AbortController()
  const { signal } = searching
  showSearching()
  clearSuggestion()
  const slow = setTimeout(showSlow, slowMs)
  try {
    await ask(question, signal)
  } catch (error) {
    if (signal.aborted) return
    showProblem(error)
    if (error.offline) askLater(question, signal, firstRetryMs)
  } finally {
    clearTimeout(slow)
    if (!signal.aborted) at('results').removeAttribute('aria-busy')
  }
}

async function ask(question, signal) {
  const { recipes } = await findRecipes(question, { suggestion: false, signal })
  hideNotice()
  showRecipes(question, recipes)
  if (recipes.length > 0) suggestionTimer = setTimeout(() => suggest(question), suggestionMs)
}

/** Retries until the server can be reached, while the notice stays: a device reports `online` before its network works. */
function askLater(question, signal, delayMs) {
  searchTimer = setTimeout(async () => {
    try {
      await ask(question, signal)
    } catch (error) {
      if (signal.aborted) return
      if (error.offline) askLater(question, signal, Math.min(2 * delayMs, longestRetryMs))
      else showProblem(error)
    }
  }, delayMs)
}

function showSearching() {
  at('results').setAttribute('aria-busy', 'true')
  if (current.recipes.length > 0) return
  at('results-title').textContent = 'Searching…'
  at('recipes').replaceChildren(...placeholderCards(4))
}

function showSlow() {
  if (!navigator.onLine) return
  showNotice({
    title: 'This takes longer than usual',
    detail: 'The server is busy. Your recipes are still loading.',
    isCalm: true,
  })
  announce('This takes longer than usual. Your recipes are still loading.')
}

function showRecipes({ ingredients }, recipes) {
  current.recipes = recipes
  at('table').hidden = false
  if (!recipes.some(({ id }) => id === openId)) openId = ''
  const count = recipes.length
  const summary =
    count === 0 ? 'No matching recipe' : `${count} ${count === 1 ? 'recipe' : 'recipes'} for ${listText(ingredients)}`
  at('results-title').textContent = summary
  announce(
    count === 0
      ? 'No matching recipe. Allow more time or another diet.'
      : `${summary}. The best match is ${recipes[0].title}.`,
  )
  at('suggestion').hidden = count === 0
  at('recipes').replaceChildren(
    ...recipes.map((recipe) =>
      recipeCard(recipe, { isOpen: recipe.id === openId, onToggle: (isOpen) => toggled(recipe.id, isOpen) }),
    ),
  )
  if (count === 0)
    at('recipes').append(element('li', { class: 'none' }, 'Allow more time or another diet to find some.'))
}

/** One recipe is open at a time, so that the address can name it. */
function toggled(id, isOpen) {
  openId = isOpen ? id : ''
  for (const card of at('recipes').children)
    if (card.dataset.id !== id && card.classList.contains('open')) setOpen(card, false)
  const card = at('recipes').querySelector(`[data-id="${CSS.escape(id)}"]`)
  // Closing a card above may have moved this one out of sight.
  if (isOpen && card.getBoundingClientRect().top < 0) card.scrollIntoView({ block: 'start' })
  writeAddress(asked())
}

// The suggestion.

async function suggest(question) {
  suggesting.abort()
  suggesting = new AbortController()
  const { signal } = suggesting
  clearSuggestion()
  at('suggestion').setAttribute('aria-busy', 'true')
  note('Thinking of a dish…', 'thinking')
  const slow = setTimeout(
    () => note('Still thinking: the model is busy. The recipes are ready in the meantime.', 'thinking'),
    slowMs,
  )
  try {
    const { suggestion, suggestionProblem } = await findRecipes(question, { suggestion: true, signal })
    if (suggestionProblem) throw new ApiProblem(suggestionProblem.title, suggestionProblem.detail)
    await followEvents(suggestion, (type, data) => onSuggestionEvent(type, data, slow), signal)
  } catch (error) {
    if (signal.aborted) return
    showSuggestionProblem(error, question)
  } finally {
    clearTimeout(slow)
    if (!signal.aborted) at('suggestion').removeAttribute('aria-busy')
  }
}

function onSuggestionEvent(type, data, slow) {
  const text = at('suggestion-text')
  // A worker that takes over a failed job starts from the beginning.
  if (type === 'started') text.textContent = ''
  if (type === 'token') {
    clearTimeout(slow)
    note('')
    text.append(data.text)
    text.classList.add('writing')
  }
  if (type !== 'finished') return
  text.classList.remove('writing')
  if (data.outcome !== 'succeeded')
    throw new ApiProblem('No dish this time', data.error?.message ?? 'The model did not finish.')
  note(data.finishReason === 'length' ? 'Cut off at the maximum length.' : '')
  announce('The suggestion is ready.')
}

function showSuggestionProblem(error, question) {
  at('suggestion-text').classList.remove('writing')
  const detail = error instanceof ApiProblem ? error.detail : 'Something went wrong on this page.'
  note(`${error.title ?? 'Something went wrong'}. ${detail}`, 'failed')
  announce(`No suggestion. ${detail}`)
  const retry = at('suggestion-retry')
  retry.hidden = false
  retry.onclick = () => {
    at('suggestion').focus()
    suggest(question)
  }
}

function clearSuggestion() {
  at('suggestion').removeAttribute('aria-busy')
  at('suggestion-text').replaceChildren()
  at('suggestion-text').classList.remove('writing')
  at('suggestion-retry').hidden = true
  note('It appears when you stop typing.')
}

function note(text, state = '') {
  const node = at('suggestion-note')
  node.textContent = text
  node.dataset.state = state
  node.hidden = text === ''
}

// Problems.

function showProblem(error) {
  const isOffline = error.offline && !navigator.onLine
  showNotice({
    title: isOffline ? 'You are offline' : (error.title ?? 'Something went wrong'),
    detail: isOffline
      ? 'The search resumes automatically when you are online again.'
      : error instanceof ApiProblem
        ? `${error.detail}${error.offline ? ' The search is retried automatically.' : ''}`
        : 'Something went wrong on this page.',
    onRetry: () => search({ again: true }),
  })
  current.recipes = []
  at('recipes').replaceChildren()
  at('table').hidden = true
}

function showNotice({ title, detail, onRetry, isCalm = false }) {
  const retry = onRetry && element('button', { type: 'button', class: 'button' }, 'Try again')
  retry?.addEventListener('click', () => {
    at('ingredient').focus()
    onRetry()
  })
  // A screen reader announces an alert immediately; calm notices are left to the status line.
  const box = element(
    'div',
    { class: `notice${isCalm ? ' calm' : ''}`, role: isCalm ? undefined : 'alert' },
    element('h2', {}, title),
    element('p', {}, detail),
    retry,
  )
  at('notice').replaceChildren(box)
  at('notice').hidden = false
}

function hideNotice() {
  // The offline notice stays while it is true.
  if (!navigator.onLine) return
  at('notice').hidden = true
  at('notice').replaceChildren()
}

// Wiring.

form.addEventListener('submit', (event) => event.preventDefault())
form.addEventListener('change', (event) => event.target !== at('ingredient') && changed(true))
addEventListener('popstate', () => {
  readAddress()
  search()
})
addEventListener('online', () => search({ again: true }))
// The content stays: somebody may be cooking from it.
addEventListener('offline', () =>
  showNotice({
    title: 'You are offline',
    detail: 'This page stays as it is. The search resumes automatically when you are online again.',
  }),
)

at('share').addEventListener('click', async () => {
  const done = await navigator.clipboard.writeText(location.href).then(
    () => 'Link copied',
    () => 'Copy the address above',
  )
  at('share').textContent = done
  announce(done)
  setTimeout(() => {
    at('share').textContent = 'Copy link'
  }, 2500)
})

at('starters').append(
  ...starters.map((ingredients) => {
    const button = element('button', { type: 'button', class: 'starter' }, listText(ingredients))
    button.addEventListener('click', () => {
      chips.set(ingredients)
      at('ingredient').focus()
      changed(true)
    })
    return element('li', {}, button)
  }),
)

readAddress()
search({ again: true })
