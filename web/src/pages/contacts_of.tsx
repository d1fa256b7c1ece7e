// The contacts of a campaign, of any number, and one of them in a drawer that has its own address.

import type { BatchCall, BatchCallContact, BatchCallContactWithHistory, Explanation } from 'api-types'
import { useEffect, useMemo, useRef, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { cost, count, fullName, phone, phoneIn } from '../base/text'
import { durationText, isZone, zoneName } from '../base/time'
import { callWords, contactWords, gateWord, reasonText, type Word } from '../base/words'
import { Card, Empty, Failure, Link, Name, Skeleton, Status, useRested } from '../parts/basics'
import { ask } from '../parts/dialog'
import { Icon } from '../parts/icon'
import { LongTable, type Column } from '../parts/table'
import { CampaignZone, Time, useInstantText, useZone } from '../parts/time'
import { toast } from '../parts/toast'
import { Gates } from '../parts/why'

type Row = BatchCallContact

const FILTERS: [string, string, (campaign: BatchCall) => number][] = [
	['', 'All', campaign => campaign.total_contacts],
	['pending,scheduled', 'Waiting', campaign => campaign.pending],
	['in_progress', 'In flight', campaign => campaign.in_progress],
	['completed', 'Completed', campaign => campaign.completed],
	['voicemail', 'Voicemail', campaign => campaign.voicemail],
	['no_answer', 'No answer', campaign => campaign.no_answer],
	['busy', 'Busy', campaign => campaign.busy],
	['failed', 'Failed', campaign => campaign.failed],
	['skipped', 'Skipped', campaign => campaign.skipped],
	['cancelled', 'Cancelled', campaign => campaign.cancelled],
]

// "waits (no answer, retry 2 of 2)": a state also says what follows.
function stateOf(row: Row, campaign: BatchCall): { word: Word; more: string } {
	const word = contactWords[row.status]
	const waits = row.status === 'scheduled' || row.status === 'pending'
	if (waits && row.call_back_at) return { word, more: '(asked to be called back)' }
	if (waits && row.attempts > 0 && campaign.retry_rules.length > 0) return { word, more: `(retry ${row.attempts})` }
	if (waits && row.attempts > 0) return { word, more: `(retry ${row.attempts} of ${campaign.max_retry_attempts})` }
	return { word, more: '' }
}

export function ContactsOf({ campaign, position }: { campaign: BatchCall; position: number | null }) {
	const { query: words } = usePlace()
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const [wanted, setWanted] = useState('')
	const search = useRested(typed.trim(), 300)
	const zone = useZone()
	const root = '/campaigns/' + campaign.id
	const status = words.get('status') ?? ''
	const at = Number(words.get('at')) || null
	useEffect(() => {
		if (search !== (words.get('q') ?? '')) setQuery({ q: search, at: null })
	}, [search])
	const q = words.get('q') ?? ''
	const number = phoneIn(q)
	const isPlanned = campaign.status !== 'draft' // waiting contacts have an instant only then
	const pathOf = useMemo(() => (offset: number, limit: number) => `/batch-calls/${campaign.id}/contacts` + query({
		status, phone_number: number, search: number ? null : q, sort_by: status === 'pending,scheduled' && !q && isPlanned ? 'scheduled_at' : null, offset: offset || null, limit,
	}), [campaign.id, status, q, number, isPlanned])
	const open = (row: Row) => go(`${root}/contacts/${row.position}` + query({ status, q, at: words.get('at') }))
	const close = () => {
		go(`${root}/contacts` + query({ status, q, at: words.get('at') }))
		setTimeout(() => (document.querySelector<HTMLElement>(`[data-position="${position}"] a`) ?? document.querySelector<HTMLElement>('h1'))?.focus(), 0)
	}
	const columns: Column<Row>[] = [
		{ title: '#', width: '76px', className: 'number off-narrow', cell: row => <span className="faint">{count(row.position)}</span> },
		{ title: 'Number', width: '165px', cell: row => <span data-position={row.position}><Link to={`${root}/contacts/${row.position}` + query({ status, q })} data-row>{phone(row.phone_number)}</Link></span> },
		{ title: 'Name', className: 'second', cell: row => <Name>{fullName(row) || '–'}</Name> },
		{ title: 'State', width: '205px', className: 'end', cell: row => { const { word, more } = stateOf(row, campaign); return <Status word={word} more={more} /> } },
		{ title: 'Tries', width: '62px', className: 'number off-narrow', cell: row => count(row.attempts) },
		{ title: 'Outcome or reason', className: 'off-narrow', cell: row => <Name>{row.outcome ?? (reasonText(row.error_reason) || '–')}</Name> },
		{ title: `When (${zoneName(zone)})`, width: '205px', className: 'when end', cell: row => <span className="soft">{whenOf(row)}</span> },
	]
	const isNarrowed = !!(status || q)
	return (
		<>
			<div className="filters">
				<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Number or name" placeholder="Number or name" value={typed} onChange={event => setTyped(event.target.value)} /></div>
				<form className="inline" onSubmit={event => { event.preventDefault(); const wish = parseInt(wanted, 10); if (wish > 0) setQuery({ at: wish, status: null, q: null }); setTyped('') }}>
					<label className="small soft" htmlFor="position">Go to position</label>
					<input id="position" className="input" style={{ width: 96 }} inputMode="numeric" value={wanted} onChange={event => setWanted(event.target.value)} />
				</form>
				{isNarrowed && <button type="button" className="button quiet small" data-key={position ? undefined : 'Escape'} onClick={() => { setTyped(''); setQuery({ status: null, q: null, at: null }) }}>Clear filters</button>}
			</div>
			<div className="chips" role="group" aria-label="State">
				{FILTERS.map(([value, text, number]) => {
					const many = number(campaign)
					return (value === '' || many > 0 || status === value) && (
						<button key={value} type="button" className="chip" aria-pressed={status === value} onClick={() => setQuery({ status: value, at: null })}>{text} <span className="count">{count(many)}</span></button>
					)
				})}
			</div>
			<Card flush label="Contacts">
				<LongTable<Row> key={status + '/' + q} what="The contacts" label={`Contacts of ${campaign.name}`} columns={columns} pathOf={pathOf} onOpen={open} isOpen={row => row.position === position}
					goTo={at ? at - 1 : null} ms={campaign.status !== 'active' ? 15_000 : status && status !== 'in_progress' && campaign.total_contacts > 20_000 ? 15_000 : 4000}
					empty={isNarrowed ? <Empty title="No contact matches" actions={<button type="button" className="button" onClick={() => { setTyped(''); setQuery({ status: null, q: null }) }}>Clear filters</button>} />
						: <Empty title="No contacts yet" actions={<Link to={root + '/add'} className="button primary"><Icon name="plus" />Add contacts</Link>}>Add them from a file, a folder, or by pasting.</Empty>} />
			</Card>
			{position !== null && <Drawer campaign={campaign} position={position} onClose={close} />}
		</>
	)
}

function whenOf(row: Row) {
	const waits = row.status === 'scheduled'
	if (waits) return <>{row.call_back_at ? 'callback ' : row.attempts > 0 ? 'retry ' : ''}<Time at={row.scheduled_at} seconds /></>
	if (row.status === 'pending' || row.status === 'skipped') return '–'
	return <Time at={row.ended_at ?? row.called_at ?? row.scheduled_at} seconds />
}

function Drawer({ campaign, position, onClose }: { campaign: BatchCall; position: number; onClose: () => void }) {
	const place = useRef<HTMLElement>(null)
	const path = `/batch-calls/${campaign.id}/contacts/${position}`
	const { data: contact, error } = useLive<BatchCallContactWithHistory>(path, campaign.status === 'active' ? 4000 : 15_000)
	const mayWrite = useMay('write')
	const { query: words } = usePlace()
	useEffect(() => place.current?.querySelector<HTMLElement>('h2')?.focus(), [position])
	const to = (next: number) => go(`/campaigns/${campaign.id}/contacts/${next}` + (words.toString() ? '?' + words : ''), { replace: true })
	const waits = contact && (contact.status === 'scheduled' || contact.status === 'pending')
	return (
		<aside className="drawer" ref={place} aria-label={`Contact ${position}`}>
			<div className="drawer-head">
				<div className="why-line">
					<h2 tabIndex={-1}>{count(position)}{contact && <> · <Name>{fullName(contact) || 'no name'}</Name></>}</h2>
					<div className="buttons">
						<button type="button" className="button icon small" aria-label="Previous contact" disabled={position <= 1} onClick={() => to(position - 1)}><Icon name="left" /></button>
						<button type="button" className="button icon small" aria-label="Next contact" disabled={position >= campaign.total_contacts} onClick={() => to(position + 1)}><Icon name="right" /></button>
						<button type="button" className="button icon small" aria-label="Close" data-key="Escape" onClick={onClose}><Icon name="close" /></button>
					</div>
				</div>
				{contact && <div className="inline"><span>{phone(contact.phone_number)}</span><Status word={contactWords[contact.status]} pill />{contact.outcome && <span className="soft"><Name>{contact.outcome}</Name></span>}{contact.duration_seconds !== null && <span className="soft">{durationText(contact.duration_seconds)}</span>}{contact.cost !== null && <span className="soft">cost {cost(contact.cost)}</span>}</div>}
			</div>
			<div className="drawer-body">
				{error && !contact && <Failure error={error} what="The contact" />}
				{!contact && !error && <Skeleton rows={6} />}
				{contact && <>
					{waits && <WhyContact path={path} zone={contact.timezone} />}
					{contact.status === 'skipped' && <p>Not called: {reasonText(contact.error_reason)}.</p>}
					<Attempts contact={contact} />
					<Fields contact={contact} />
					{mayWrite && <div className="buttons">
						<button type="button" className="button danger" onClick={() => ask({
							title: 'Put this number on the do-not-call list?', verb: 'Put it on the list',
							text: <>{phone(contact.phone_number)} is not called any more, in any campaign of the organisation.</>,
							run: async () => {
								await change('POST', '/do-not-call', { body: { phone_number: contact.phone_number, reason: `by hand, from ${campaign.name}`.slice(0, 255) } })
								toast('The number is on the do-not-call list.')
								await refresh(path)
							},
						})}>Put on do-not-call…</button>
						{waits && <button type="button" className="button danger" onClick={() => ask({
							title: 'Remove this contact?', verb: 'Remove it', text: <>{phone(contact.phone_number)} will not be called by this campaign.</>,
							run: async () => {
								await change('DELETE', path)
								await refresh('/batch-calls/' + campaign.id)
								toast('Removed.')
							},
						})}>Remove…</button>}
					</div>}
				</>}
			</div>
		</aside>
	)
}

function WhyContact({ path, zone }: { path: string; zone: string | null }) {
	const { data: why, error } = useLive<Explanation>(path + '/why', 5000)
	const at = useInstantText()
	if (error && !why) return <Failure error={error} what="Why it waits" />
	if (!why) return <Skeleton rows={2} />
	const first = why.gates.find(gate => gate.gate === why.waits_for) ?? why.gates.find(gate => !gate.open)
	return (
		<section className="stack close" aria-label="Why it waits">
			<h3>Why it waits</h3>
			<p>{first ? gateWord(first.gate).closed(first, at) : 'Every rule lets it be called now.'}</p>
			{why.next_at && first && <p className="soft">It can be called <Time at={why.next_at} both near />.</p>}
			{zone && isZone(zone) && <CampaignZone.Provider value={zone}><p className="soft">Its own zone is {zoneName(zone)}{why.next_at && <>: <Time at={why.next_at} /></>}.</p></CampaignZone.Provider>}
			{why.gates.length > 0 && <Gates gates={why.gates} />}
		</section>
	)
}

function Attempts({ contact }: { contact: BatchCallContactWithHistory }) {
	if (contact.attempts_history.length === 0) return null
	return (
		<section className="stack close">
			<h3>Attempts</h3>
			<table className="table plain" aria-label="Attempts">
				<thead><tr><th scope="col">#</th><th scope="col">When</th><th scope="col">How it went</th><th scope="col" className="number">Length</th></tr></thead>
				<tbody>
					{contact.attempts_history.map(attempt => (
						<tr key={attempt.call_id}>
							<td className="tight">{attempt.attempt}</td>
							<td><Link to={'/calls/' + attempt.call_id}><Time at={attempt.called_at} seconds /></Link><div className="sub">from {phone(attempt.from_number)}</div></td>
							<td><Status word={callWords[attempt.status]} /><div className="sub"><Name>{attempt.outcome ?? reasonText(attempt.error_reason)}</Name></div></td>
							<td className="number">{durationText(attempt.duration_seconds)}</td>
						</tr>
					))}
				</tbody>
			</table>
		</section>
	)
}

export function Fields({ contact }: { contact: { email?: string | null; timezone?: string | null; custom_fields?: { [key: string]: unknown } | null } }) {
	const custom = Object.entries(contact.custom_fields ?? {})
	if (!contact.email && !contact.timezone && custom.length === 0) return null
	return (
		<section className="stack close">
			<h3>Fields</h3>
			<dl className="facts">
				{contact.email && <><dt>email</dt><dd><Name>{contact.email}</Name></dd></>}
				{contact.timezone && <><dt>time zone</dt><dd>{contact.timezone}</dd></>}
				{custom.map(([name, value]) => <FieldRow key={name} name={name} value={value} />)}
			</dl>
		</section>
	)
}

const FieldRow = ({ name, value }: { name: string; value: unknown }) => (
	<><dt className="wrap"><Name>{name}</Name></dt><dd><Name>{typeof value === 'string' ? value : JSON.stringify(value)}</Name></dd></>
)
