// The keyboard: single keys outside of fields, which can be switched off. A key presses the button that names it in
// data-key: first in the row that has the focus, then on the page.

import { useEffect, useState } from 'react'
import { prefs } from '../base/prefs'
import { go } from '../base/route'
import { Dialog } from './dialog'

const PLACES: Record<string, [string, string]> = {
	o: ['/', 'Overview'], c: ['/campaigns', 'Campaigns'], l: ['/calls', 'Calls'], k: ['/contacts', 'Contacts'],
	d: ['/do-not-call', 'Do-not-call'], a: ['/agents', 'Agents'], n: ['/numbers', 'Numbers'], w: ['/webhooks', 'Webhooks'],
	s: ['/settings/view', 'Settings'],
}
const PREFIX_MS = 1500

const isField = (element: Element | null) => !!element?.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]')

export function useKeyboard(openBox: () => void, openHelp: () => void) {
	useEffect(() => {
		let prefixUntil = 0
		const pressed = (event: KeyboardEvent) => {
			if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
				event.preventDefault()
				openBox()
				return
			}
			const target = event.target as Element
			if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
			if (event.key === 'Escape') {
				press('Escape', target)
				return
			}
			if (isField(target) || !prefs.get().shortcuts) return
			if (Date.now() < prefixUntil) {
				prefixUntil = 0
				const place = PLACES[event.key]
				if (place) {
					event.preventDefault()
					go(place[0])
				}
				return
			}
			if (act(event, target)) event.preventDefault()
			else if (event.key === 'g') prefixUntil = Date.now() + PREFIX_MS
		}
		const act = (event: KeyboardEvent, target: Element): boolean => {
			switch (event.key) {
			case '/': openBox(); return true
			case '?': openHelp(); return true
			case 'j': case 'ArrowDown': return moveRow(event, target, 1)
			case 'k': case 'ArrowUp': return moveRow(event, target, -1)
			case 'Home': return moveRow(event, target, -Infinity)
			case 'End': return moveRow(event, target, Infinity)
			case 'x': return choose(target)
			case 'p': case 'r': case 'e': case 'n': return press(event.key, target)
			default: return false
			}
		}
		addEventListener('keydown', pressed)
		return () => removeEventListener('keydown', pressed)
	}, [openBox, openHelp])
}

function press(key: string, target: Element): boolean {
	const selector = `[data-key="${key}"]:not(:disabled)`
	const button = target.closest('tr')?.querySelector<HTMLElement>(selector) ?? document.querySelector<HTMLElement>(selector)
	button?.click()
	return !!button
}

// j and k move among the first links of rows. The arrow keys do so only if such a link has the focus already.
function moveRow(event: KeyboardEvent, target: Element, by: number): boolean {
	const isOnRow = target.matches('[data-row]')
	if (!isOnRow && event.key !== 'j' && event.key !== 'k') return false
	const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
	if (rows.length === 0) return false
	const at = rows.indexOf(target as HTMLElement)
	const next = Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))
	rows[next].focus()
	rows[next].closest('tr')?.scrollIntoView({ block: 'nearest' })
	return true
}

function choose(target: Element): boolean {
	const box = target.closest('tr')?.querySelector<HTMLElement>('input[type=checkbox]')
	box?.click()
	return !!box
}

const HELP: [string, string][] = [
	['Ctrl K or /', 'find or do something'], ['j k', 'next and previous row; arrows, Home and End on a row'], ['Enter', 'open the row'],
	['x', 'choose the row'], ['Esc', 'close the drawer, then clear filters'], ['p', 'pause'], ['r', 'resume'], ['e', 'edit'], ['n', 'new'], ['?', 'this list'],
]

export function KeyHelp({ onClose }: { onClose: () => void }) {
	return (
		<Dialog title="Keys" onClose={onClose}>
			<dl className="keys" style={{ paddingBottom: 16 }}>
				{HELP.map(([key, text]) => <Row key={key} names={key} text={text} />)}
				{Object.entries(PLACES).map(([key, [, text]]) => <Row key={'g' + key} names={`g ${key}`} text={text} />)}
			</dl>
			<p className="small soft" style={{ paddingBottom: 16 }}>Single keys can be switched off in Settings.</p>
		</Dialog>
	)
}

function Row({ names, text }: { names: string; text: string }) {
	return <><dt>{names.split(' ').map((name, index) => name === 'or' ? ' or ' : <kbd key={index} style={{ marginInlineEnd: 4 }}>{name}</kbd>)}</dt><dd>{text}</dd></>
}

export function useToggle(): [boolean, () => void, () => void] {
	const [isOn, setOn] = useState(false)
	const [{ on, off }] = useState(() => ({ on: () => setOn(true), off: () => setOn(false) }))
	return [isOn, on, off]
}
