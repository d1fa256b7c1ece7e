// Calls: all calls, the calls of a campaign, and one call.

import type { Agent, BatchCall, Call, Try } from 'api-types'
import { useEffect, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { cost, fullName, phone, phoneIn, safeUrl } from '../base/text'
import { durationText } from '../base/time'
import { callWords, reasonText } from '../base/words'
import { ActButton } from '../parts/actions'
import { Card, Empty, Failure, Link, Name, OuterLink, PageHead, Skeleton, Status, useRested } from '../parts/basics'
import { ask, Dialog } from '../parts/dialog'
import { Faults, faultsOf, FaultSummary, Select, Text, useAction } from '../parts/form'
import { Icon } from '../parts/icon'
import { Pager, Table, type Column } from '../parts/table'
import { Time, useNow } from '../parts/time'
import { toast } from '../parts/toast'
import { endByHand, isSilent } from './campaign'

const LIMIT = 50

const FILTERS: [string, string][] = [
	['', 'All'], ['in_flight', 'In flight'], ['completed', 'Completed'], ['voicemail', 'Voicemail'], ['no_answer', 'No answer'],
	['busy', 'Busy'], ['failed', 'Failed'], ['cancelled', 'Cancelled'],
]

export function Calls() {
	const [isNew, setNew] = useState(false)
	const mayWrite = useMay('write')
	return (
		<>
			<PageHead name="Calls" title="Calls" actions={mayWrite && <button type="button" className="button" data-key="n" onClick={() => setNew(true)}><Icon name="phone" />Single call</button>} />
			<CallList />
			{isNew && <SingleCall onClose={() => setNew(false)} />}
		</>
	)
}

export function CallsOf({ campaignId }: { campaignId: string }) {
	return <CallList campaignId={campaignId} />
}

function CallList({ campaignId }: { campaignId?: string }) {
	const { query: words } = usePlace()
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const rested = useRested(typed.trim(), 300)
	const number = phoneIn(rested)
	const page = Math.max(1, Number(words.get('page')) || 1)
	const q = words.get('q') ?? ''
	const day = words.get('day') ?? ''
	useEffect(() => {
		const next = rested === '' ? '' : number
		if (next !== null && next !== q) setQuery({ q: next, page: null })
	}, [rested])
	const agents = useLive<Agent[]>(campaignId ? null : '/agents?limit=100')
	const batch = campaignId ?? words.get('batch')
	const path = '/calls' + query({
		batch_call_id: batch, status: words.get('status'), agent_id: words.get('agent'), phone_number: q,
		created_after: day ? new Date(day + 'T00:00').toISOString() : null, created_before: day ? new Date(Date.parse(day + 'T00:00') + 86_400_000).toISOString() : null,
		limit: LIMIT, offset: (page - 1) * LIMIT || null,
	})
	const { data, reply, error } = useLive<Call[]>(path, words.get('status') === 'in_flight' ? 4000 : 10_000)
	const isNarrowed = ['status', 'agent', 'q', 'day'].some(name => words.get(name))
	const clear = () => { setTyped(''); setQuery({ status: null, agent: null, q: null, day: null, page: null }) }
	const columns: Column<Call>[] = [
		{ title: 'To', cell: row => <><Link to={'/calls/' + row.id} data-row className="name">{phone(row.phone_number)}</Link><div className="sub"><Name>{fullName(row) || (row.batch_call_id ? '–' : 'single call')}</Name></div></> },
		{ title: 'State', className: 'tight', cell: row => isSilent(row) && ['dispatched', 'ringing', 'in_progress'].includes(row.status) ? <Status word={{ text: 'silent', tone: 'warn', shape: 'triangle' }} /> : <Status word={callWords[row.status]} /> },
		{ title: 'From', className: 'tight off-narrow', cell: row => <span className="soft">{phone(row.from_number)}</span> },
		{ title: 'Attempt', className: 'number tight off-narrow', cell: row => row.attempt || '–' },
		{ title: 'Outcome or reason', className: 'off-narrow', cell: row => <Name>{row.outcome ?? (reasonText(row.end_reason) || '–')}</Name> },
		{ title: 'Length', className: 'number tight off-narrow', cell: row => durationText(row.duration_seconds) },
		{ title: 'Began', className: 'tight', cell: row => <span className="soft"><Time at={row.created_at} seconds /></span> },
	]
	return (
		<>
			<div className="filters">
				<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Number" placeholder="Number, as +12025550147" value={typed} onChange={event => setTyped(event.target.value)} /></div>
				<div className="inline">
					{!campaignId && <Select hideLabel label="Agent" value={words.get('agent') ?? ''} onChange={value => setQuery({ agent: value, page: null })}>
						<option value="">Every agent</option>
						{agents.data?.map(agent => <option key={agent.id} value={agent.id}>{agent.name}</option>)}
					</Select>}
					<input className="input" type="date" aria-label="Day" value={day} onChange={event => setQuery({ day: event.target.value, page: null })} />
				</div>
				{isNarrowed && <button type="button" className="button quiet small" data-key="Escape" onClick={clear}>Clear filters</button>}
			</div>
			{rested !== '' && number === null && <p className="soft small" role="status">Write the whole number, with + and the country.</p>}
			<div className="chips" role="group" aria-label="State">
				{FILTERS.map(([value, text]) => <button key={value} type="button" className="chip" aria-pressed={(words.get('status') ?? '') === value} onClick={() => setQuery({ status: value, page: null })}>{text}</button>)}
			</div>
			<Card flush label="Calls">
				{error && !data ? <Failure error={error} what="The list of calls" /> : !data ? <div style={{ padding: 18 }}><Skeleton rows={10} height={30} /></div>
					: data.length === 0 ? (isNarrowed ? <Empty title="No call matches" actions={<button type="button" className="button" onClick={clear}>Clear filters</button>} />
						: <Empty title="No calls yet">A call is one attempt to reach one contact. They appear here when a campaign calls.</Empty>)
					: <>
						<Table label="Calls" columns={columns} rows={data} keyOf={row => row.id} onOpen={row => go('/calls/' + row.id)} />
						{reply?.pagination && <Pager total={reply.pagination.total} isExact={reply.pagination.total_is_exact} limit={LIMIT} page={page} />}
					</>}
			</Card>
		</>
	)
}

export function OneCall({ id }: { id: string }) {
	const { data: call, error } = useLive<Call>('/calls/' + id, 4000)
	const tries = useLive<Try[]>(call ? `/calls/${id}/tries` : null, 10_000)
	const batch = useLive<BatchCall>(call?.batch_call_id ? `/batch-calls/${call.batch_call_id}?fields=id,name` : null)
	const agent = useLive<Agent>(call?.agent_id ? '/agents/' + call.agent_id : null)
	const time = useNow(1000)
	const mayWrite = useMay('write'), mayReport = useMay('reports')
	if (error && !call) return <><PageHead name="Call" title={error.status === 404 ? 'There is no such call in this organisation' : 'Call'} crumb={<Link to="/calls">Calls</Link>} />{error.status !== 404 && <Failure error={error} what="The call" />}</>
	if (!call) return <><PageHead name="Call" title="Call" crumb={<Link to="/calls">Calls</Link>} /><Skeleton rows={8} /></>
	const isAccepted = ['dispatched', 'ringing', 'in_progress'].includes(call.status)
	const recording = safeUrl(call.recording_url), transcript = safeUrl(call.transcript_url)
	return (
		<>
			<PageHead name={`Call to ${phone(call.phone_number)}`} title={phone(call.phone_number)} crumb={<Link to="/calls">Calls</Link>} after={<Status word={callWords[call.status]} pill />}
				below={<>
					{fullName(call) && <><Name>{fullName(call)}</Name> · </>}
					{call.batch_call_id ? <>attempt {call.attempt}, contact <Link to={`/campaigns/${call.batch_call_id}/contacts/${call.position}`}>{call.position}</Link> of <Link to={'/campaigns/' + call.batch_call_id}><Name>{batch.data?.name ?? 'its campaign'}</Name></Link></> : 'a single call'}
				</>}
				actions={<>
					{call.status === 'queued' && mayWrite && <ActButton text="Cancel" run={async () => { await change('POST', `/calls/${id}/cancel`); await refresh('/calls'); toast('Cancelled.') }} />}
					{isAccepted && isSilent(call) && mayReport && <button type="button" className="button danger" onClick={() => ask({
						title: 'End this call as failed?', verb: 'End it', text: 'It is reported as failed, and its place is free. If the call still goes on, it is not hung up.', run: () => endByHand(call),
					})}>End as failed…</button>}
				</>} />
			<div className="columns even">
				<Card title="Progress">
					<dl className="facts">
						<Step name="Planned for" at={call.scheduled_at} />
						<Step name="Claimed" at={call.created_at} />
						<Step name="Accepted by the dialer" at={call.dispatched_at} />
						<Step name="Answered" at={call.answered_at} />
						<Step name="Last report" at={call.reported_at} />
						<Step name="Ended" at={call.ended_at} />
						{isAccepted && <><dt>Lasts</dt><dd>{durationText((time - Date.parse(call.answered_at ?? call.dispatched_at ?? call.created_at)) / 1000)}</dd></>}
						{isAccepted && call.ends_at && <><dt>Fails</dt><dd><Time at={call.ends_at} near /> unless its end is reported before</dd></>}
						{call.status === 'queued' && <><dt>Expires</dt><dd><Time at={call.expires_at} near seconds /></dd></>}
					</dl>
				</Card>
				<Card title="Result">
					<dl className="facts">
						<dt>Outcome</dt><dd><Name>{call.outcome ?? '–'}</Name></dd>
						<dt>How it ended</dt><dd><Name>{reasonText(call.end_reason) || '–'}</Name></dd>
						<dt>Length</dt><dd>{durationText(call.duration_seconds)}</dd>
						<dt>Cost</dt><dd>{cost(call.cost)}</dd>
						<dt>From</dt><dd>{phone(call.from_number)}</dd>
						<dt>Agent</dt><dd>{call.agent_id ? <Link to={'/agents/' + call.agent_id}><Name>{agent.data?.name ?? 'its agent'}</Name></Link> : '–'}</dd>
						{call.recording_url && <><dt>Recording</dt><dd>{recording ? <OuterLink url={recording}>Open the recording</OuterLink> : <span className="wrap"><Name>{call.recording_url}</Name> <span className="faint">(no web address)</span></span>}</dd></>}
						{call.transcript_url && <><dt>Transcript</dt><dd>{transcript ? <OuterLink url={transcript}>Open the transcript</OuterLink> : <span className="wrap"><Name>{call.transcript_url}</Name> <span className="faint">(no web address)</span></span>}</dd></>}
					</dl>
				</Card>
			</div>
			{call.summary && <Card title="Summary"><p className="wrap" style={{ whiteSpace: 'pre-line' }}><Name>{call.summary}</Name></p></Card>}
			<Card title="Tries with the dialer" flush>
				{!tries.data ? <div style={{ padding: 18 }}><Skeleton rows={2} /></div> : tries.data.length === 0 ? <p className="soft" style={{ padding: '10px 18px 18px' }}>{call.status === 'queued' ? 'The dialer has not been asked yet.' : 'The dialer accepted the call when it was first asked.'}</p> : <Tries tries={tries.data} />}
			</Card>
		</>
	)
}

const Step = ({ name, at }: { name: string; at: string | null | undefined }) => at ? <><dt>{name}</dt><dd><Time at={at} seconds full /></dd></> : null

export function Tries({ tries }: { tries: Try[] }) {
	return (
		<Table label="Tries" rows={tries} keyOf={row => row.at + row.duration_ms} columns={[
			{ title: 'When', className: 'tight', cell: row => <Time at={row.at} seconds /> },
			{ title: 'Answer', className: 'tight', cell: row => row.response_status === null ? <span className="bad-text">none</span> : <span className={row.error ? 'bad-text' : 'ok-text'}>{row.response_status}</span> },
			{ title: 'Took', className: 'number tight off-narrow', cell: row => `${row.duration_ms} ms` },
			{ title: 'Message', className: 'wide', cell: row => <div className="wrap">{row.error && <Name>{row.error}</Name>}{row.excerpt && <pre className="soft"><bdi>{row.excerpt}</bdi></pre>}{!row.error && !row.excerpt && 'accepted'}</div> },
		]} />
	)
}

export function SingleCall({ onClose, agentId }: { onClose: () => void; agentId?: string }) {
	const agents = useLive<Agent[]>('/agents?status=active&limit=100')
	const numbers = useLive<{ id: string; phone_number: string; friendly_name: string | null }[]>('/telephony/numbers?limit=100')
	const [form, setForm] = useState({ agent_id: agentId ?? '', phone_number: '', from_number: '', variables: '' })
	const [faults, setFaults] = useState<Faults>({})
	const set = (next: Partial<typeof form>) => setForm(old => ({ ...old, ...next }))
	const submit = async () => {
		const own: Faults = {}
		const number = phoneIn(form.phone_number)
		if (!form.agent_id) own.agent_id = 'choose one'
		if (!number) own.phone_number = 'must be a number such as +12025550147'
		let variables: unknown = null
		try {
			variables = form.variables.trim() ? JSON.parse(form.variables) : null
			if (variables !== null && (typeof variables !== 'object' || Array.isArray(variables))) own.variables = 'must be an object of JSON'
		} catch {
			own.variables = 'must be an object of JSON'
		}
		setFaults(own)
		if (Object.keys(own).length > 0) return
		const made = await change<Call>('POST', '/calls', { body: { agent_id: form.agent_id, phone_number: number, from_number: form.from_number || null, variables } })
		await refresh('/calls')
		onClose()
		go('/calls/' + made.id)
	}
	const [press, isRunning] = useAction(submit, error => setFaults(faultsOf(error, ['agent_id', 'phone_number', 'from_number', 'variables'])))
	return (
		<Dialog title="Single call" onClose={onClose} foot={<>
			<button type="button" className="button" onClick={onClose}>Close</button>
			<button type="submit" form="single-call" className="button primary" disabled={isRunning}>{isRunning ? 'One moment…' : 'Call now'}</button>
		</>}>
			<form id="single-call" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={{ agent_id: 'Agent', phone_number: 'Number', from_number: 'From', variables: 'Variables' }} />
				<p className="soft">It is placed at once, outside of any campaign, and is not tried again.</p>
				<Select label="Agent" value={form.agent_id} onChange={agent_id => set({ agent_id })} fault={faults.agent_id}>
					<option value="">Choose an agent</option>
					{agents.data?.map(agent => <option key={agent.id} value={agent.id}>{agent.name}</option>)}
				</Select>
				<Text label="Number" type="tel" value={form.phone_number} onChange={phone_number => set({ phone_number })} fault={faults.phone_number} placeholder="+12025550147" first />
				<Select label="From" value={form.from_number} onChange={from_number => set({ from_number })} fault={faults.from_number}>
					<option value="">The agent’s own</option>
					{numbers.data?.map(number => <option key={number.id} value={number.phone_number}>{phone(number.phone_number)}{number.friendly_name ? ` ${number.friendly_name}` : ''}</option>)}
				</Select>
				<Text label="Variables" lines={3} mono value={form.variables} onChange={variables => set({ variables })} fault={faults.variables} hint="An object of JSON for the dialer, if it wants one" />
			</form>
		</Dialog>
	)
}

