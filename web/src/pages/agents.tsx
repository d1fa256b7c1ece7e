// Agents, which speak in the calls.

import type { Agent, Webhook } from 'api-types'
import { useState } from 'react'
import { call, change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query } from '../base/route'
import { useMay } from '../base/session'
import { count } from '../base/text'
import { agentWords } from '../base/words'
import { ActButton } from '../parts/actions'
import { Card, Empty, Failure, Link, Name, Notice, PageHead, Skeleton, Status } from '../parts/basics'
import { ask, Dialog } from '../parts/dialog'
import { Amount, faultsOf, FaultSummary, Select, Text, useAction, useUnsaved, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { Table } from '../parts/table'
import { toast } from '../parts/toast'
import { SingleCall } from './calls'

interface Form {
	name: string; description: string; greeting: string; voice_id: string; language_hint: string; system_prompt: string; settings: string
	max_call_duration_seconds: number | null; webhook_id: string
}
const LABELS: Record<string, string> = {
	name: 'Name', description: 'Description', greeting: 'Greeting', voice_id: 'Voice', language_hint: 'Language', system_prompt: 'System prompt',
	settings: 'Settings', max_call_duration_seconds: 'Longest call', webhook_id: 'Dialer',
}

const formOf = (agent: Agent | null): Form => ({
	name: agent?.name ?? '', description: agent?.description ?? '', greeting: agent?.greeting ?? '', voice_id: agent?.voice_id ?? '',
	language_hint: agent?.language_hint ?? '', system_prompt: agent?.system_prompt ?? '', webhook_id: agent?.webhook_id ?? '',
	settings: agent && Object.keys(agent.settings ?? {}).length > 0 ? JSON.stringify(agent.settings, null, 2) : '', max_call_duration_seconds: agent?.max_call_duration_seconds ?? 3600,
})

function bodyOf(form: Form): { body: Record<string, unknown>; faults: Faults } {
	const faults: Faults = {}
	if (!form.name.trim()) faults.name = 'must not be empty'
	let settings: unknown = null
	try {
		settings = form.settings.trim() ? JSON.parse(form.settings) : null
		if (settings !== null && (typeof settings !== 'object' || Array.isArray(settings))) faults.settings = 'must be an object of JSON'
	} catch {
		faults.settings = 'must be an object of JSON'
	}
	const text = (value: string) => value.trim() || null
	return { faults, body: {
		name: form.name.trim(), description: text(form.description), greeting: text(form.greeting), voice_id: text(form.voice_id), language_hint: text(form.language_hint),
		system_prompt: text(form.system_prompt), settings, webhook_id: form.webhook_id || null, ...(form.max_call_duration_seconds ? { max_call_duration_seconds: form.max_call_duration_seconds } : {}),
	} }
}

export function Agents() {
	const { data, error } = useLive<Agent[]>('/agents?limit=100', 5000)
	const [isNew, setNew] = useState(false)
	const mayWrite = useMay('write')
	return (
		<>
			<PageHead name="Agents" title={<>Agents{data && <span className="count"> {count(data.length)}</span>}</>} below="Who speaks in the calls. An agent is handed to its dialer as you configure it."
				actions={mayWrite && <button type="button" className="button primary" data-key="n" onClick={() => setNew(true)}><Icon name="plus" />New agent</button>} />
			<Card flush label="Agents">
				{error && !data ? <Failure error={error} what="The list" /> : !data ? <div style={{ padding: 18 }}><Skeleton /></div>
					: data.length === 0 ? <Empty title="No agents yet" actions={mayWrite && <button type="button" className="button primary" onClick={() => setNew(true)}>New agent</button>}>A campaign needs an agent that is active: one whose dialer has taken it.</Empty>
					: <Table label="Agents" rows={data} keyOf={row => row.id} onOpen={row => go('/agents/' + row.id)} columns={[
						{ title: 'Name', cell: row => <><Link to={'/agents/' + row.id} className="name" data-row><Name>{row.name}</Name></Link>{row.description && <div className="sub"><Name>{row.description}</Name></div>}</> },
						{ title: 'State', className: 'tight', cell: row => <Status word={agentWords[row.status]} pill /> },
						{ title: 'Why', className: 'wide', cell: row => <span className="soft wrap">{row.status_reason ?? ''}</span> },
						{ title: 'Campaigns', className: 'number tight off-narrow', cell: row => count(row.campaigns) },
					]} />}
			</Card>
			{isNew && <NewAgent onClose={() => setNew(false)} />}
		</>
	)
}

function NewAgent({ onClose }: { onClose: () => void }) {
	const [form, setForm] = useState(formOf(null))
	const [faults, setFaults] = useState<Faults>({})
	const [press, isRunning] = useAction(async () => {
		const { body, faults: wrong } = bodyOf(form)
		setFaults(wrong)
		if (Object.keys(wrong).length > 0) return
		const made = await change<Agent>('POST', '/agents', { body })
		await refresh('/agents')
		onClose()
		go('/agents/' + made.id)
	}, error => setFaults(faultsOf(error, Object.keys(LABELS))))
	return (
		<Dialog title="New agent" wide onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="agent-form" className="button primary" disabled={isRunning}>Save</button></>}>
			<form id="agent-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}><AgentFields form={form} set={next => setForm(old => ({ ...old, ...next }))} faults={faults} /></form>
		</Dialog>
	)
}

function AgentFields({ form, set, faults }: { form: Form; set: (next: Partial<Form>) => void; faults: Faults }) {
	const webhooks = useLive<Webhook[]>('/webhooks?limit=100')
	return (
		<>
			<FaultSummary faults={faults} labels={LABELS} />
			<div className="form-row">
				<Text label="Name" value={form.name} onChange={name => set({ name })} fault={faults.name} first />
				<Select label="Dialer" value={form.webhook_id} onChange={webhook_id => set({ webhook_id })} fault={faults.webhook_id} hint="The webhook that places its calls">
					<option value="">None yet</option>
					{webhooks.data?.map(webhook => <option key={webhook.id} value={webhook.id} disabled={webhook.disabled}>{webhook.description ?? webhook.url}{webhook.disabled ? ' (switched off)' : ''}</option>)}
				</Select>
			</div>
			<Text label="Description" value={form.description} onChange={description => set({ description })} fault={faults.description} />
			<Text label="Greeting" lines={2} value={form.greeting} onChange={greeting => set({ greeting })} fault={faults.greeting} />
			<Text label="System prompt" lines={6} value={form.system_prompt} onChange={system_prompt => set({ system_prompt })} fault={faults.system_prompt} />
			<div className="form-row">
				<Text label="Voice" value={form.voice_id} onChange={voice_id => set({ voice_id })} fault={faults.voice_id} />
				<Text label="Language" value={form.language_hint} onChange={language_hint => set({ language_hint })} fault={faults.language_hint} placeholder="en-US" />
				<Amount label="Longest call" unit="seconds" value={form.max_call_duration_seconds} onChange={max_call_duration_seconds => set({ max_call_duration_seconds })} fault={faults.max_call_duration_seconds} hint="Later it has failed: no report" />
			</div>
			<Text label="Settings" lines={4} mono value={form.settings} onChange={settings => set({ settings })} fault={faults.settings} hint="An object of JSON for the dialer" />
		</>
	)
}

export function OneAgent({ id }: { id: string }) {
	const { data: agent, error } = useLive<Agent>('/agents/' + id, 4000)
	if (error && !agent) return <><PageHead name="Agent" title={error.status === 404 ? 'There is no such agent in this organisation' : 'Agent'} crumb={<Link to="/agents">Agents</Link>} />{error.status !== 404 && <Failure error={error} what="The agent" />}</>
	if (!agent) return <><PageHead name="Agent" title="Agent" crumb={<Link to="/agents">Agents</Link>} /><Skeleton rows={6} /></>
	return <EditAgent agent={agent} />
}

function EditAgent({ agent }: { agent: Agent }) {
	const mayWrite = useMay('write')
	const [base, setBase] = useState(formOf(agent))
	const [form, setForm] = useState(base)
	const [faults, setFaults] = useState<Faults>({})
	const [isCall, setCall] = useState(false)
	const isDirty = JSON.stringify(form) !== JSON.stringify(base)
	useUnsaved(isDirty)
	const [press, isRunning] = useAction(async () => {
		const { body, faults: wrong } = bodyOf(form)
		setFaults(wrong)
		if (Object.keys(wrong).length > 0) return
		const before = bodyOf(base).body
		const changes = Object.fromEntries(Object.entries(body).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])))
		const saved = await change<Agent>('PATCH', '/agents/' + agent.id, { body: changes })
		setBase(formOf(saved))
		setForm(formOf(saved))
		await refresh('/agents')
		toast('Saved.')
	}, error => setFaults(faultsOf(error, Object.keys(LABELS))))
	return (
		<>
			<PageHead name={agent.name} title={<Name>{agent.name}</Name>} crumb={<Link to="/agents">Agents</Link>} after={<Status word={agentWords[agent.status]} pill />}
				below={agent.campaigns === null ? undefined : agent.campaigns > 0 ? <Link to={'/campaigns' + query({ agent: agent.id })}>used by {count(agent.campaigns)} {agent.campaigns === 1 ? 'campaign' : 'campaigns'}</Link> : 'used by no campaign'}
				actions={mayWrite && <>
					{agent.status === 'active' && <button type="button" className="button" onClick={() => setCall(true)}><Icon name="phone" />Test call</button>}
					{agent.webhook_id && <ActButton text="Sync again" run={async () => { await call('POST', `/agents/${agent.id}/sync`); await refresh('/agents'); toast('Its dialer is asked again.') }} />}
					<button type="button" className="button danger" onClick={() => ask({
						title: 'Delete this agent?', verb: 'Delete it', text: <><p><Name>{agent.name}</Name></p><p>Its numbers stay, without an agent. This cannot be undone.</p></>,
						run: async () => { await change('DELETE', '/agents/' + agent.id); await refresh('/agents'); toast('Deleted.'); go('/agents', { force: true }) },
					})}>Delete…</button>
				</>} />
			{agent.status === 'failed' && <Notice kind="bad"><p className="strong">Its dialer has not accepted it.</p><p>{agent.status_reason}</p></Notice>}
			<Card className="form-card">
				<form className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
					<fieldset disabled={!mayWrite} className="form"><AgentFields form={form} set={next => setForm(old => ({ ...old, ...next }))} faults={faults} /></fieldset>
					{mayWrite && <div className="buttons"><button className="button primary" disabled={!isDirty || isRunning}>Save</button></div>}
				</form>
			</Card>
			{isCall && <SingleCall agentId={agent.id} onClose={() => setCall(false)} />}
		</>
	)
}
