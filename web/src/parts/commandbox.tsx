// A box that finds pages, campaigns by name, a pasted number or id, and the actions of this page.

import type { BatchCall } from 'api-types'
import { useEffect, useId, useMemo, useState } from 'react'
import { call } from '../base/api'
import { useLive } from '../base/poll'
import { go, query } from '../base/route'
import { useMay } from '../base/session'
import { idIn, phone, phoneIn } from '../base/text'
import { campaignWords } from '../base/words'
import { useRested } from './basics'
import { Dialog } from './dialog'
import { toast } from './toast'

interface Choice { text: string; hint?: string; run: () => void }

const PAGES: [string, string][] = [
	['Overview', '/'], ['Campaigns', '/campaigns'], ['New campaign', '/campaigns/new'], ['Calls', '/calls'], ['Contacts', '/contacts'],
	['Do-not-call list', '/do-not-call'], ['Agents', '/agents'], ['Numbers', '/numbers'], ['Webhooks', '/webhooks'],
	['Settings: keys', '/settings/keys'], ['Settings: contact limits', '/settings/limits'], ['Settings: view', '/settings/view'],
]

const PATHS: Record<string, string> = {
	agt: '/agents/', folder: '/contacts/folders/', ctc: '/contacts/', batch: '/campaigns/', call: '/calls/', whk: '/webhooks/', num: '/numbers?id=',
}

export function CommandBox({ onClose }: { onClose: () => void }) {
	const [text, setText] = useState('')
	const [at, setAt] = useState(0)
	const list = useId()
	const rested = useRested(text.trim(), 200)
	const mayWrite = useMay('write')
	const isName = rested.length > 0 && !phoneIn(rested) && !idIn(rested)
	const found = useLive<BatchCall[]>(isName ? '/batch-calls' + query({ search: rested, limit: 8, fields: 'id,name,status' }) : null)
	const choices = useMemo(() => choicesOf(text.trim(), found.data ?? [], mayWrite, onClose), [text, found.data, mayWrite, onClose])
	useEffect(() => setAt(0), [text])
	const onKeyDown = (event: React.KeyboardEvent) => {
		if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
			event.preventDefault()
			setAt(old => (old + (event.key === 'ArrowDown' ? 1 : choices.length - 1)) % Math.max(1, choices.length))
		} else if (event.key === 'Enter' && choices[at]) {
			event.preventDefault()
			choices[at].run()
		}
	}
	return (
		<Dialog onClose={onClose} className="command">
			<input className="input" data-first role="combobox" aria-expanded="true" aria-controls={list} aria-label="Find or do something"
				aria-activedescendant={choices[at] ? `${list}-${at}` : undefined} placeholder="A page, a campaign, a number, an id…" autoComplete="off"
				value={text} onChange={event => setText(event.target.value)} onKeyDown={onKeyDown} />
			<ul id={list} role="listbox" aria-label="Choices">
				{choices.map((choice, index) => (
					<li key={index} id={`${list}-${index}`} role="option" aria-selected={index === at} onMouseEnter={() => setAt(index)} onClick={choice.run}>
						<bdi>{choice.text}</bdi><small className="soft">{choice.hint}</small>
					</li>
				))}
			</ul>
			{choices.length === 0 && <p className="empty">{found.isLoading ? 'Looking…' : 'Nothing of that name.'}</p>}
		</Dialog>
	)
}

function choicesOf(text: string, campaigns: BatchCall[], mayWrite: boolean, close: () => void): Choice[] {
	const to = (path: string) => () => { close(); go(path) }
	const number = phoneIn(text)
	if (number)
		return [
			{ text: `Calls to ${phone(number)}`, hint: 'calls', run: to('/calls' + query({ q: number })) },
			{ text: `Is ${phone(number)} on the do-not-call list?`, hint: 'do-not-call', run: to('/do-not-call' + query({ q: number })) },
			{ text: `Contact ${phone(number)}`, hint: 'contacts', run: to('/contacts' + query({ q: number })) },
		]
	const id = idIn(text)
	if (id) return [{ text: `Open ${text}`, hint: 'id', run: () => void openId(id, close) }]
	const wanted = text.toLowerCase()
	const here = [...document.querySelectorAll<HTMLButtonElement>('main [data-key]:not(:disabled)')]
		.filter(button => button.dataset.key !== 'Escape' && !button.closest('td'))
		.map(button => ({ text: `${button.textContent}: this page`, hint: 'action', run: () => { close(); button.click() } }))
	const pages = PAGES.filter(([, path]) => mayWrite || path !== '/campaigns/new').map(([name, path]) => ({ text: name, hint: 'page', run: to(path) }))
	return [
		...[...here, ...pages].filter(choice => choice.text.toLowerCase().includes(wanted)),
		...(wanted ? campaigns : []).map(campaign => ({ text: campaign.name, hint: `campaign, ${campaignWords[campaign.status].text}`, run: to('/campaigns/' + campaign.id) })),
	]
}

// An id without a prefix may belong to any kind of object, so each kind is tried.
async function openId({ type, id }: { type: string | null; id: string }, close: () => void) {
	close()
	if (type && PATHS[type]) {
		go(PATHS[type] + id)
		return
	}
	const kinds: [string, string][] = [['/batch-calls/', '/campaigns/'], ['/calls/', '/calls/'], ['/contacts/', '/contacts/'], ['/agents/', '/agents/'],
		['/webhooks/', '/webhooks/'], ['/contacts/folders/', '/contacts/folders/'], ['/webhooks/deliveries/', '/webhooks/deliveries/']]
	for (const [path, page] of kinds) {
		try {
			await call('GET', path + id)
			go(page + id)
			return
		} catch {
			// No object of this kind has the id.
		}
	}
	toast('Nothing in this organisation has this id.')
}
