// Numbers that calls are made from, and how calls from them end.

import type { Agent, Number as PhoneNumber, NumberAnalytics } from 'api-types'
import { useEffect, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, percent, phone, phoneIn } from '../base/text'
import { Card, Empty, Failure, Link, Name, PageHead, Skeleton, useRested } from '../parts/basics'
import { ask, Dialog } from '../parts/dialog'
import { Amount, faultsOf, FaultSummary, Select, Text, useAction, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { Pager, Table } from '../parts/table'
import { toast } from '../parts/toast'

const LIMIT = 50

export function Numbers() {
	const { query: words } = usePlace()
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const [open, setOpen] = useState<PhoneNumber | 'new' | null>(null)
	const rested = useRested(typed.trim(), 300)
	const q = words.get('q') ?? ''
	const page = Math.max(1, Number(words.get('page')) || 1)
	useEffect(() => {
		if (rested !== q) setQuery({ q: rested, page: null })
	}, [rested])
	const { data, reply, error } = useLive<PhoneNumber[]>('/telephony/numbers' + query({ search: phoneIn(q) ?? q, limit: LIMIT, offset: (page - 1) * LIMIT || null }), 15_000)
	const wanted = useLive<PhoneNumber>(words.get('id') ? '/telephony/numbers/' + words.get('id') : null)
	const agents = useLive<Agent[]>('/agents?limit=100')
	const mayWrite = useMay('write')
	useEffect(() => {
		if (wanted.data) setOpen(wanted.data)
	}, [wanted.data])
	const agentName = (id: string | null) => id ? <Link to={'/agents/' + id}><Name>{agents.data?.find(agent => agent.id === id)?.name ?? 'an agent'}</Name></Link> : <span className="faint">–</span>
	const close = () => { setOpen(null); if (words.get('id')) setQuery({ id: null }) }
	return (
		<>
			<PageHead name="Numbers" title={<>Numbers{reply?.pagination && <span className="count"> {count(reply.pagination.total)}</span>}</>} below="Calls are made from them. The credentials of a provider stay with the dialer."
				actions={mayWrite && <button type="button" className="button primary" data-key="n" onClick={() => setOpen('new')}><Icon name="plus" />Add a number</button>} />
			<div className="filters">
				<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Number or name" placeholder="Number or name" value={typed} onChange={event => setTyped(event.target.value)} /></div>
				{q && <button type="button" className="button quiet small" data-key="Escape" onClick={() => { setTyped(''); setQuery({ q: null }) }}>Clear filters</button>}
			</div>
			<Card flush label="Numbers">
				{error && !data ? <Failure error={error} what="The list" /> : !data ? <div style={{ padding: 18 }}><Skeleton /></div>
					: data.length === 0 ? (q ? <Empty title="No number matches" /> : <Empty title="No numbers yet" actions={mayWrite && <button type="button" className="button primary" onClick={() => setOpen('new')}>Add a number</button>}>A campaign needs at least one number to call from.</Empty>)
					: <>
						<Table label="Numbers" rows={data} keyOf={row => row.id} onOpen={setOpen} columns={[
							{ title: 'Number', cell: row => <><button type="button" className="link-button name" style={{ textDecoration: 'none' }} data-row onClick={() => setOpen(row)}>{phone(row.phone_number)}</button>{row.friendly_name && <div className="sub"><Name>{row.friendly_name}</Name></div>}</> },
							{ title: 'Calls out for', cell: row => agentName(row.outbound_agent_id) },
							{ title: 'Takes calls for', className: 'off-narrow', cell: row => agentName(row.inbound_agent_id) },
							{ title: 'Pace', className: 'tight off-narrow', cell: row => row.calls_per_minute ? `${count(row.calls_per_minute)} a minute` : <span className="faint">none</span> },
							{ title: 'Provider', className: 'tight off-narrow', cell: row => <span className="soft">{row.provider_type.replace('_', ' ')}</span> },
						]} />
						{reply?.pagination && <Pager total={reply.pagination.total} isExact={reply.pagination.total_is_exact} limit={LIMIT} page={page} />}
					</>}
			</Card>
			{open && <NumberDialog key={open === 'new' ? '' : open.id} number={open === 'new' ? null : open} agents={agents.data ?? []} onClose={close} />}
		</>
	)
}

const LABELS = { phone_number: 'Number', friendly_name: 'Name', provider_type: 'Provider', calls_per_minute: 'Pace', outbound: 'Calls out for', inbound: 'Takes calls for' }

function NumberDialog({ number, agents, onClose }: { number: PhoneNumber | null; agents: Agent[]; onClose: () => void }) {
	const mayWrite = useMay('write')
	const [form, setForm] = useState({
		phone_number: number?.phone_number ?? '', friendly_name: number?.friendly_name ?? '', provider_type: number?.provider_type ?? 'custom_sip',
		calls_per_minute: number?.calls_per_minute ?? null as number | null, outbound: number?.outbound_agent_id ?? '', inbound: number?.inbound_agent_id ?? '',
	})
	const [faults, setFaults] = useState<Faults>({})
	const figures = useLive<NumberAnalytics>(number ? `/telephony/numbers/${number.id}/analytics` : null)
	const set = (next: Partial<typeof form>) => setForm(old => ({ ...old, ...next }))
	const assign = async (id: string, type: 'outbound' | 'inbound', before: string, after: string) => {
		if (before === after) return
		if (after) await change('POST', '/telephony/numbers/assign', { body: { number_id: id, agent_id: after, assignment_type: type } })
		else await change('POST', '/telephony/numbers/unassign', { body: { number_id: id, assignment_type: type } })
	}
	const [press, isRunning] = useAction(async () => {
		const own: Faults = {}
		const text = phoneIn(form.phone_number)
		if (!text) own.phone_number = 'must be a number such as +12025550147'
		setFaults(own)
		if (Object.keys(own).length > 0) return
		const body = { friendly_name: form.friendly_name.trim() || null, provider_type: form.provider_type, calls_per_minute: form.calls_per_minute }
		const saved = number ? await change<PhoneNumber>('PATCH', '/telephony/numbers/' + number.id, { body }) : await change<PhoneNumber>('POST', '/telephony/numbers/import', { body: { ...body, phone_number: text } })
		await assign(saved.id, 'outbound', saved.outbound_agent_id ?? '', form.outbound)
		await assign(saved.id, 'inbound', saved.inbound_agent_id ?? '', form.inbound)
		await refresh('/telephony/numbers')
		toast('Saved.')
		onClose()
	}, error => setFaults(faultsOf(error, Object.keys(LABELS))))
	return (
		<Dialog title={number ? phone(number.phone_number) : 'Add a number'} onClose={onClose} foot={<>
			{number && mayWrite && <button type="button" className="button danger" style={{ marginInlineEnd: 'auto' }} onClick={() => { onClose(); ask({
				title: 'Delete this number?', verb: 'Delete it', text: <>{phone(number.phone_number)}: campaigns go on with the numbers they have left. This cannot be undone.</>,
				run: async () => { await change('DELETE', '/telephony/numbers/' + number.id); await refresh('/telephony/numbers'); toast('Deleted.') },
			}) }}>Delete…</button>}
			<button type="button" className="button" onClick={onClose}>Close</button>
			{mayWrite && <button form="number-form" className="button primary" disabled={isRunning}>Save</button>}
		</>}>
			<form id="number-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={LABELS} />
				{number && figures.data && (
					<dl className="tiles">
						<div className="tile"><dt>Calls</dt><dd className="value">{count(figures.data.calls)}</dd></div>
						<div className="tile"><dt>Answered</dt><dd className="value">{percent(figures.data.answer_rate)}</dd></div>
					</dl>
				)}
				{!number && <Text label="Number" type="tel" value={form.phone_number} onChange={phone_number => set({ phone_number })} fault={faults.phone_number} placeholder="+12025550147" first />}
				<Text label="Name" value={form.friendly_name} onChange={friendly_name => set({ friendly_name })} fault={faults.friendly_name} placeholder="Front desk" disabled={!mayWrite} first={!!number} />
				<div className="form-row">
					<Select label="Calls out for" value={form.outbound} onChange={outbound => set({ outbound })} disabled={!mayWrite}><option value="">No agent</option>{agents.map(agent => <option key={agent.id} value={agent.id}>{agent.name}</option>)}</Select>
					<Select label="Takes calls for" value={form.inbound} onChange={inbound => set({ inbound })} disabled={!mayWrite}><option value="">No agent</option>{agents.map(agent => <option key={agent.id} value={agent.id}>{agent.name}</option>)}</Select>
				</div>
				<div className="form-row">
					<Amount label="Pace" unit="calls a minute" placeholder="none" value={form.calls_per_minute} onChange={calls_per_minute => set({ calls_per_minute })} fault={faults.calls_per_minute} disabled={!mayWrite} />
					<Select label="Provider" value={form.provider_type} onChange={value => set({ provider_type: value as typeof form.provider_type })} disabled={!mayWrite}><option value="custom_sip">SIP</option><option value="twilio">Twilio</option><option value="telnyx">Telnyx</option></Select>
				</div>
			</form>
		</Dialog>
	)
}
