// Numbers that are never called.

import type { DoNotCall as Listed } from 'api-types'
import { useEffect, useMemo, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, phone, phoneIn, plural } from '../base/text'
import { Card, Empty, Name, Notice, PageHead, useRested } from '../parts/basics'
import { ask, Dialog } from '../parts/dialog'
import { faultsOf, FaultSummary, Text, useAction, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { ImportContacts } from '../parts/import'
import { LongTable, type Column } from '../parts/table'
import { Time } from '../parts/time'
import { toast } from '../parts/toast'

const askRemove = (row: Listed) => ask({
	title: 'Take this number off the list?', verb: 'Take it off',
	text: <><p>{phone(row.phone_number)} may be called again.</p>{row.reason && <p>It was put there because: <Name>{row.reason}</Name></p>}</>,
	run: async () => {
		await change('DELETE', '/do-not-call/' + encodeURIComponent(row.phone_number))
		await refresh('/do-not-call')
		toast('Taken off the list.')
	},
})

export function DoNotCall() {
	const { query: words } = usePlace()
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const [total, setTotal] = useState<number | null>(null)
	const [open, setOpen] = useState<'add' | 'import' | null>(null)
	const rested = useRested(typed.trim(), 300)
	const mayWrite = useMay('write')
	const q = words.get('q') ?? ''
	const number = phoneIn(q)
	useEffect(() => {
		if (rested !== q) setQuery({ q: rested })
	}, [rested])
	const [prefix] = q.replace(/[\s().-]/g, '').replace(/^(00)?(?=\d)/, '+').match(/^\+\d{0,15}$/) ?? [null]
	const answer = useLive<Listed[]>(number ? '/do-not-call' + query({ phone_number: number }) : null)
	const pathOf = useMemo(() => (offset: number, limit: number) => '/do-not-call' + query({ search: prefix, offset: offset || null, limit }), [prefix])
	const columns: Column<Listed>[] = [
		{ title: 'Number', width: '190px', cell: row => <span data-row tabIndex={0}>{phone(row.phone_number)}</span> },
		{ title: 'Reason', className: 'wide', cell: row => <Name>{row.reason ?? '–'}</Name> },
		{ title: 'Since', width: '190px', className: 'off-narrow', cell: row => <span className="soft"><Time at={row.created_at} full /></span> },
		...(mayWrite ? [{ title: <span className="hidden">Action</span>, width: '132px', className: 'end', cell: (row: Listed) => <button type="button" className="button small" aria-label={`Remove ${row.phone_number}`} onClick={() => askRemove(row)}>Remove…</button> }] : []),
	]
	return (
		<>
			<PageHead name="Do-not-call" title={<>Do-not-call{total !== null && <span className="count"> {count(total)}</span>}</>} below="Numbers that no campaign and no single call of the organisation calls."
				actions={mayWrite && <>
					<button type="button" className="button primary" data-key="n" onClick={() => setOpen('add')}><Icon name="plus" />Add numbers</button>
					<button type="button" className="button" onClick={() => setOpen('import')}>Import</button>
				</>} />
			<div className="filters">
				<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Is it on the list?" placeholder="Is it on the list? +12025550147" value={typed} onChange={event => setTyped(event.target.value)} /></div>
				{q && <button type="button" className="button quiet small" data-key="Escape" onClick={() => { setTyped(''); setQuery({ q: null }) }}>Clear filters</button>}
			</div>
			<div role="status">
				{number && answer.data && (answer.data.length > 0
					? <Notice kind="warn"><p><b>{phone(number)} is on the list</b>{answer.data[0].reason && <>: <Name>{answer.data[0].reason}</Name></>}. Since <Time at={answer.data[0].created_at} full />.</p></Notice>
					: <Notice kind="ok"><p><b>{phone(number)} is not on the list.</b></p></Notice>)}
			</div>
			<Card flush label="Numbers">
				<LongTable<Listed> key={prefix} what="The list" label="Numbers that are never called" columns={columns} pathOf={pathOf} ms={30_000} onOpen={() => undefined} onTotal={setTotal}
					empty={q ? <Empty title="No number of the list begins so" /> : <Empty title="The list is empty" actions={mayWrite && <button type="button" className="button primary" onClick={() => setOpen('add')}>Add numbers</button>}>Who asks not to be called again belongs on it. It counts from the moment it is saved.</Empty>} />
			</Card>
			{open === 'add' && <Add onClose={() => setOpen(null)} />}
			{open === 'import' && <Import onClose={() => setOpen(null)} />}
		</>
	)
}

function Add({ onClose }: { onClose: () => void }) {
	const [text, setText] = useState('')
	const [reason, setReason] = useState('')
	const [faults, setFaults] = useState<Faults>({})
	const [press, isRunning] = useAction(async () => {
		const lines = text.split(/[\r\n,;]+/).map(line => line.trim()).filter(Boolean)
		const bad = lines.filter(line => !phoneIn(line))
		if (lines.length === 0 || bad.length > 0) {
			setFaults({ phone_numbers: lines.length === 0 ? 'write at least one number' : `not in the form +12025550147: ${bad.slice(0, 3).join(', ')}${bad.length > 3 ? ` and ${bad.length - 3} more` : ''}` })
			return
		}
		const added = await change<{ added: number; already_listed: number }>('POST', '/do-not-call', { body: { phone_numbers: [...new Set(lines.map(line => phoneIn(line)!))], reason: reason.trim() || null } })
		await refresh('/do-not-call')
		toast(`${plural(added.added, 'number')} added${added.already_listed ? `, ${count(added.already_listed)} were there already` : ''}.`)
		onClose()
	}, error => setFaults(faultsOf(error, ['phone_numbers', 'reason'])))
	return (
		<Dialog title="Add numbers" onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="dnc-form" className="button primary" disabled={isRunning}>Add</button></>}>
			<form id="dnc-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={{ phone_numbers: 'Numbers', reason: 'Reason' }} />
				<Text label="Numbers" lines={5} mono value={text} onChange={setText} fault={faults.phone_numbers} hint="One a line" placeholder="+12025550147" first />
				<Text label="Reason" value={reason} onChange={setReason} fault={faults.reason} placeholder="asked us to" />
			</form>
		</Dialog>
	)
}

function Import({ onClose }: { onClose: () => void }) {
	const [reason, setReason] = useState('')
	return (
		<Dialog title="Import numbers" wide onClose={onClose} foot={<button type="button" className="button" onClick={onClose}>Close</button>}>
			<Text label="Reason, for all of them" value={reason} onChange={setReason} />
			<ImportContacts path="/do-not-call/import" words={{ reason: reason.trim() || null, partial: true }} verb="Add" noun={['number', 'numbers']} skippedText="on the list already"
				onLoaded={result => { void refresh('/do-not-call'); toast(`${plural(result.imported, 'number')} added.`) }} />
		</Dialog>
	)
}
