/** The page's script: tabs, selecting components, filters. Without it everything is shown on one page. */
export const pageScript = `
const all = (selector, root = document) => [...root.querySelectorAll(selector)]
document.documentElement.classList.add('scripted')

const dark = matchMedia('(prefers-color-scheme: dark)')
document.getElementById('theme').addEventListener('click', () => {
  const now = document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')
  document.documentElement.dataset.theme = now === 'dark' ? 'light' : 'dark'
})

const tabs = all('[role=tab]')
const open = (tab) => {
  for (const other of tabs) {
    other.setAttribute('aria-selected', String(other === tab))
    other.tabIndex = other === tab ? 0 : -1
    document.getElementById(other.getAttribute('aria-controls')).hidden = other !== tab
  }
}
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener('click', () => open(tab))
  tab.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    const next = tabs[(index + step + tabs.length) % tabs.length]
    next.focus()
    open(next)
  })
}
if (tabs.length > 0) open(tabs.find((tab) => !tab.classList.contains('passed')) ?? tabs[0])

for (const section of all('.target')) {
  const figure = section.querySelector('.environment')
  const boxes = all('.component', section)
  const flows = all('.flow', section)
  let chosen

  const light = (box) => {
    figure.classList.toggle('focused', box !== undefined)
    const near = new Set([box?.id])
    for (const flow of flows) {
      const isHidden = figure.classList.contains('hide-' + flow.dataset.kind)
      const touches = box !== undefined && !isHidden && (flow.dataset.from === box.id || flow.dataset.to === box.id)
      flow.classList.toggle('near', touches)
      if (touches) near.add(flow.dataset.from).add(flow.dataset.to)
    }
    for (const other of boxes) other.classList.toggle('near', near.has(other.id))
  }

  const filter = () => {
    const findings = section.querySelector('.findings')
    const search = findings?.querySelector('[type=search]')
    if (!search) return
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
    const on = new Set(all('.filter [type=checkbox]:checked', findings).map((input) => input.name))
    let shown = 0
    for (const article of all('article', findings)) {
      const fits = chosen === undefined || article.dataset.boxes.split(' ').includes(chosen.id)
      const title = article.querySelector('h2').textContent.toLowerCase()
      let left = 0
      for (const item of all('li', article)) {
        const text = title + ' ' + item.textContent.toLowerCase()
        const visible = fits && on.has(item.classList[0]) && words.every((word) => text.includes(word))
        item.hidden = !visible
        if (visible) left++
      }
      article.hidden = left === 0
      shown += left
    }
    findings.querySelector('.empty').hidden = shown > 0
    findings.querySelector('output').textContent = shown + (chosen === undefined ? ' shown' : ' shown here')
  }

  const choose = (box) => {
    chosen = box === chosen ? undefined : box
    for (const other of boxes) other.setAttribute('aria-pressed', String(other === chosen))
    for (const card of all('.component-card', section)) card.hidden = card.dataset.box !== chosen?.id
    light(chosen)
    filter()
  }

  for (const box of boxes) {
    box.addEventListener('click', () => choose(box))
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      choose(box)
    })
    box.addEventListener('mouseenter', () => light(box))
    box.addEventListener('mouseleave', () => light(chosen))
    box.addEventListener('focus', () => light(box))
    box.addEventListener('blur', () => light(chosen))
  }
  section.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && chosen !== undefined) choose(chosen)
  })
  for (const input of all('.kinds input', section))
    input.addEventListener('change', () => figure.classList.toggle('hide-' + input.name, !input.checked))
  for (const input of all('.filter input', section)) input.addEventListener('input', filter)
  filter()
}
`
