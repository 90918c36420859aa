// Creates elements. All text is inserted as text, never as HTML: recipes, suggestions and user input.

/** `element('p', {class: 'note'}, 'text', child)`; attributes that are undefined or false are left out. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    node.setAttribute(key, value === true ? '' : value)
  }
  node.append(...children.filter((child) => child !== undefined && child !== false))
  return node
}

const minutesText = (minutes) => {
  if (minutes < 90) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
}

/** `0.5 tsp` as `½ tsp`. */
const amountText = (amount) =>
  amount.replace(
    /^(\d*)\.(25|5|75)\b/,
    (_, whole, part) => (whole === '0' ? '' : whole) + { 25: '¼', 5: '½', 75: '¾' }[part],
  )

/** A recipe that opens in place. `onToggle(isOpen)` is called when the person opens or closes it. */
export function recipeCard(recipe, { isOpen, onToggle }) {
  const { id, title, cuisine, minutes, servings, tags, has, misses } = recipe
  const diet = tags.includes('vegan') ? 'vegan' : tags.includes('vegetarian') ? 'vegetarian' : undefined
  const meta = [cuisine, minutesText(minutes), `serves ${servings}`, diet].filter(Boolean).join(' · ')

  const button = element(
    'button',
    { type: 'button', 'aria-expanded': String(isOpen), 'aria-controls': `recipe-${id}` },
    title,
  )
  const details = recipeDetails(recipe, !isOpen)
  const card = element(
    'li',
    { class: 'recipe', 'data-id': id },
    element(
      'div',
      { class: 'recipe-head' },
      element('h3', {}, button),
      element(
        'span',
        { class: 'match', title: 'How well it fits' },
        `${Math.round(recipe.score * 100)} %`,
        element('span', { class: 'visually-hidden' }, ' match'),
      ),
    ),
    element('p', { class: 'meta' }, meta),
    element(
      'p',
      { class: 'uses' },
      has.length > 0 && element('span', { class: 'has' }, `Uses ${listText(has)}`),
      has.length > 0 && misses.length > 0 && element('span', { class: 'comma' }, ', '),
      misses.length > 0 &&
        element('span', { class: 'misses' }, `${has.length > 0 ? 'not' : 'Without'} ${listText(misses, 'or')}`),
    ),
    details,
  )
  const toggle = () => {
    const open = button.getAttribute('aria-expanded') !== 'true'
    setOpen(card, open)
    onToggle(open)
  }
  button.addEventListener('click', toggle)
  card.classList.toggle('open', isOpen)
  return card
}

/** Opens or closes a card that recipeCard created. */
export function setOpen(card, isOpen) {
  card.classList.toggle('open', isOpen)
  card.querySelector('h3 button').setAttribute('aria-expanded', String(isOpen))
  card.querySelector('.details').hidden = !isOpen
}

function recipeDetails({ id, title, ingredients, steps }, hidden) {
  return element(
    'div',
    { class: 'details', id: `recipe-${id}`, role: 'region', 'aria-label': title, hidden },
    element('h4', {}, 'Ingredients'),
    element(
      'ul',
      { class: 'ingredients' },
      ...ingredients.map(({ name, amount, have }) =>
        element(
          'li',
          { class: have ? 'have' : undefined },
          element('span', { class: 'amount' }, amountText(amount)),
          element(
            'span',
            { class: 'name' },
            name,
            have && element('span', { class: 'visually-hidden' }, ' (you have it)'),
          ),
        ),
      ),
    ),
    element('h4', {}, 'Method'),
    element('ol', { class: 'steps' }, ...steps.map((step) => element('li', {}, step))),
  )
}

/** Empty cards while the recipes load. */
export function placeholderCards(count) {
  return Array.from({ length: count }, () =>
    element(
      'li',
      { class: 'recipe placeholder', 'aria-hidden': 'true' },
      element('span', { class: 'bar wide' }),
      element('span', { class: 'bar' }),
      element('span', { class: 'bar short' }),
    ),
  )
}

/** `a, b and c`. */
export function listText(words, link = 'and') {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${link} ${words.at(-1)}`
}
