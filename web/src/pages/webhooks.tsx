// Webhooks: their addresses, their health, their deliveries.

import type { EventType, Redelivered, Webhook, WebhookWithSecret } from 'api-types'
import { useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go } from '../base/route'
import { useMay } from '../base/session'
import { count, plural } from '../base/text'
import { circuitWords, eventWords, subscribable, type Word } from '../base/words'
import { ActButton } from '../parts/actions'
import { Card, Empty, ErrorText, Failure, Link, Menu, Name, Notice, PageHead, Skeleton, Status } from '../parts/basics'
import { ask, Dialog, SecretDialog } from '../parts/dialog'
import { Check, faultsOf, FaultSummary, Group, Radios, Text, useAction, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { Table } from '../parts/table'
import { Time } from '../parts/time'
import { toast } from '../parts/toast'
import { Deliveries } from './deliveries'

const OFF: Word = { text: 'switched off', tone: 'off', shape: 'cross' }
const wordOf = (webhook: Webhook) => webhook.disabled ? OFF : circuitWords[webhook.circuit]
const nameOf = (webhook: Webhook) => webhook.description || webhook.url

// The API counts up to here.
const COUNTED = 1000
const counted = (value: number) => value < COUNTED ? count(value) : `${count(COUNTED)} or more`

function Health({ webhook }: { webhook: Webhook }) {
	if (webhook.disabled) return <span className="soft">{webhook.disabled_reason ?? 'by hand'}</span>
	if (webhook.circuit === 'closed') return webhook.failures_in_a_row > 0 ? <span className="warn-text">{plural(webhook.failures_in_a_row, 'failure')} in a row</span> : <span className="soft">{webhook.last_success_at ? <>last <Time at={webhook.last_success_at} /></> : 'nothing sent yet'}</span>
	return <span className="soft">since <Time at={webhook.failing_since} /> · {plural(webhook.failures_in_a_row, 'failure')} in a row{webhook.next_probe_at && <> · tried again <Time at={webhook.next_probe_at} seconds /></>}</span>
}

export function Webhooks() {
	const { data, error } = useLive<Webhook[]>('/webhooks?limit=100', 5000)
	const [isNew, setNew] = useState(false)
	const mayWrite = useMay('write')
	return (
		<>
			<PageHead name="Webhooks" title={<>Webhooks{data && <span className="count"> {count(data.length)}</span>}</>} below="Addresses that Outdial sends signed webhooks to. Dialers are reached through them."
				actions={mayWrite && <button type="button" className="button primary" data-key="n" onClick={() => setNew(true)}><Icon name="plus" />New webhook</button>} />
			<Card flush label="Webhooks">
				{error && !data ? <Failure error={error} what="The list" /> : !data ? <div style={{ padding: 18 }}><Skeleton /></div>
					: data.length === 0 ? <Empty title="No webhooks yet" actions={mayWrite && <button type="button" className="button primary" onClick={() => setNew(true)}>New webhook</button>}>Outdial decides who is called when. A dialer, a program of yours, places the calls: it is reached by a webhook.</Empty>
					: <Table label="Webhooks" rows={data} keyOf={row => row.id} onOpen={row => go('/webhooks/' + row.id)} columns={[
						{ title: 'Name and address', cell: row => <><Link to={'/webhooks/' + row.id} className="name" data-row><Name>{nameOf(row)}</Name></Link>{row.description && <div className="sub"><Name>{row.url}</Name></div>}</> },
						{ title: 'State', className: 'tight', cell: row => <Status word={wordOf(row)} pill /> },
						{ title: 'How it is doing', className: 'wide', cell: row => <Health webhook={row} /> },
						{ title: 'Waiting', className: 'number tight off-narrow', cell: row => counted(row.waiting) },
						{ title: 'Failed, 24 h', className: 'number tight off-narrow', cell: row => <span className={row.failed_24h ? 'bad-text' : ''}>{counted(row.failed_24h)}</span> },
						{ title: 'Sent, 24 h', className: 'number tight off-narrow', cell: row => counted(row.delivered_24h) },
					]} />}
			</Card>
			<Card flush title="Deliveries, of all webhooks"><Deliveries webhookId={null} /></Card>
			{isNew && <WebhookDialog webhook={null} onClose={() => setNew(false)} />}
		</>
	)
}

function WebhookDialog({ webhook, onClose }: { webhook: Webhook | null; onClose: () => void }) {
	const [form, setForm] = useState({ url: webhook?.url ?? '', description: webhook?.description ?? '', events: webhook?.events ?? [] as EventType[], signature_type: 'hmac' as 'hmac' | 'ed25519' })
	const [faults, setFaults] = useState<Faults>({})
	const [made, setMade] = useState<WebhookWithSecret | null>(null)
	const set = (next: Partial<typeof form>) => setForm(old => ({ ...old, ...next }))
	const [press, isRunning] = useAction(async () => {
		if (!form.url.trim()) {
			setFaults({ url: 'must not be empty' })
			return
		}
		const body = { url: form.url.trim(), description: form.description.trim() || null, events: form.events }
		if (webhook) {
			await change('PATCH', '/webhooks/' + webhook.id, { body })
			toast('Saved.')
			onClose()
		} else {
			const saved = await change<WebhookWithSecret>('POST', '/webhooks', { body: { ...body, signature_type: form.signature_type } })
			if (saved.secret) setMade(saved)
			else { onClose(); go('/webhooks/' + saved.id) }
		}
		void refresh('/webhooks')
	}, error => setFaults(faultsOf(error, ['url', 'description', 'events', 'signature_type'])))
	if (made?.secret)
		return <SecretDialog title="The secret of this webhook" secret={made.secret} onClose={() => { onClose(); go('/webhooks/' + made.id) }}>It is shown this once. The receiver verifies signatures with it; when it is lost, rotate it.</SecretDialog>
	return (
		<Dialog title={webhook ? 'Change the webhook' : 'New webhook'} onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="webhook-form" className="button primary" disabled={isRunning}>Save</button></>}>
			<form id="webhook-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={{ url: 'Address', description: 'Name', events: 'Events', signature_type: 'Signature' }} />
				<Text label="Address" type="url" value={form.url} onChange={url => set({ url })} fault={faults.url} placeholder="https://dialer.example.com/outdial" first />
				<Text label="Name" value={form.description} onChange={description => set({ description })} fault={faults.description} placeholder="My dialer" />
				<Group label="Subscribes to" fault={faults.events} hint="A dialer is sent its calls and agents without asking for them">
					<div className="stack" style={{ gap: 0 }}>{subscribable.map(event => <Check key={event} checked={form.events.includes(event)} onChange={isOn => set({ events: isOn ? [...form.events, event] : form.events.filter(one => one !== event) })}>{eventWords[event]} <code className="faint">{event}</code></Check>)}</div>
				</Group>
				{!webhook && <Group label="Signature" hint={form.signature_type === 'hmac' ? 'With a secret that both sides know' : 'With a private key that never leaves Outdial'}><div><Radios label="Signature" value={form.signature_type} onChange={signature_type => set({ signature_type })} choices={[['hmac', 'HMAC'], ['ed25519', 'ed25519']]} /></div></Group>}
			</form>
		</Dialog>
	)
}

export function OneWebhook({ id }: { id: string }) {
	const { data: webhook, error } = useLive<Webhook>('/webhooks/' + id, 4000)
	const [open, setOpen] = useState<'edit' | 'rotate' | 'failed' | 'missing' | null>(null)
	const mayWrite = useMay('write')
	if (error && !webhook) return <><PageHead name="Webhook" title={error.status === 404 ? 'There is no such webhook in this organisation' : 'Webhook'} crumb={<Link to="/webhooks">Webhooks</Link>} />{error.status !== 404 && <Failure error={error} what="The webhook" />}</>
	if (!webhook) return <><PageHead name="Webhook" title="Webhook" crumb={<Link to="/webhooks">Webhooks</Link>} /><Skeleton rows={6} /></>
	const set = (body: unknown, text: string) => async () => {
		await change('PATCH', '/webhooks/' + id, { body })
		await refresh('/webhooks')
		toast(text)
	}
	const close = () => setOpen(null)
	return (
		<>
			<PageHead name={nameOf(webhook)} title={<Name>{nameOf(webhook)}</Name>} crumb={<Link to="/webhooks">Webhooks</Link>} after={<Status word={wordOf(webhook)} pill />} below={<Name>{webhook.url}</Name>}
				actions={mayWrite && <>
					{!webhook.disabled && <ActButton text="Send a test" run={async () => { const sent = await change<{ id: string }>('POST', `/webhooks/${id}/test`); await refresh('/webhooks'); toast('A test is on its way.', { text: 'See it', run: () => go('/webhooks/deliveries/' + sent.id) }) }} />}
					<button type="button" className="button" data-key="e" onClick={() => setOpen('edit')}><Icon name="edit" />Edit</button>
					{webhook.disabled && <ActButton primary text="Switch on" run={set({ disabled: false }, 'Switched on.')} />}
					<Menu label="More about this webhook">
						{!webhook.disabled && <button type="button" onClick={() => ask({ title: 'Switch this webhook off?', verb: 'Switch it off', isSafe: true, text: 'Nothing is sent there. What waits is kept, and campaigns whose dialer it is wait.', run: set({ disabled: true }, 'Switched off.') })}>Switch off…</button>}
						<button type="button" onClick={() => setOpen('rotate')}>Rotate the secret…</button>
						<button type="button" onClick={() => setOpen('failed')}>Send failed again…</button>
						<button type="button" onClick={() => setOpen('missing')}>Send missing…</button>
						<button type="button" className="danger" onClick={() => ask({ title: 'Delete this webhook?', verb: 'Delete it', text: <><p><Name>{webhook.url}</Name></p><p>What was to be sent there has failed. This cannot be undone.</p></>, run: async () => { await change('DELETE', '/webhooks/' + id); await refresh('/webhooks'); toast('Deleted.'); go('/webhooks') } })}>Delete…</button>
					</Menu>
				</>} />
			{(webhook.disabled || webhook.circuit !== 'closed') && <Notice kind={webhook.disabled ? 'warn' : 'bad'}><p className="strong">{webhook.disabled ? 'It is switched off: what waits for it is kept.' : 'It does not answer: campaigns whose dialer it is wait.'}</p><p><Health webhook={webhook} /></p></Notice>}
			<Card>
				<dl className="facts">
					<dt>How it is doing</dt><dd><Health webhook={webhook} /></dd>
					<dt>Last 24 hours</dt><dd>{counted(webhook.delivered_24h)} delivered, {counted(webhook.failed_24h)} failed, {counted(webhook.waiting)} waiting</dd>
					<dt>Subscribes to</dt><dd>{webhook.events.length === 0 ? 'nothing; as a dialer it is sent its calls and agents' : webhook.events.map(event => eventWords[event].toLowerCase()).join(', ')}</dd>
					<dt>Signature</dt><dd>{webhook.signature_type ?? 'to be rotated'}{webhook.old_secret_expires_at && <>; the secret before signs along until <Time at={webhook.old_secret_expires_at} full /></>}</dd>
					{webhook.public_key && <><dt>Public key</dt><dd><code className="wrap">{webhook.public_key}</code></dd></>}
				</dl>
			</Card>
			<Card flush title="Deliveries"><Deliveries webhookId={id} /></Card>
			{open === 'edit' && <WebhookDialog webhook={webhook} onClose={close} />}
			{open === 'rotate' && <Rotate webhook={webhook} onClose={close} />}
			{(open === 'failed' || open === 'missing') && <Redeliver webhookId={id} mode={open} onClose={close} />}
		</>
	)
}

function Rotate({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
	const [type, setType] = useState<'hmac' | 'ed25519'>(webhook.signature_type ?? 'hmac')
	const [error, setError] = useState<unknown>(null)
	const [made, setMade] = useState<WebhookWithSecret | null>(null)
	const [press, isRunning] = useAction(async () => {
		const saved = await change<WebhookWithSecret>('POST', `/webhooks/${webhook.id}/rotate-secret`, { body: { signature_type: type } })
		void refresh('/webhooks')
		if (saved.secret) setMade(saved)
		else { toast('Rotated: the new public key is on the page.'); onClose() }
	}, setError)
	if (made?.secret)
		return <SecretDialog title="The new secret" secret={made.secret} onClose={onClose}>It is shown this once. {made.old_secret_expires_at && <>The old one signs along until <Time at={made.old_secret_expires_at} full />.</>}</SecretDialog>
	return (
		<Dialog title="Rotate the secret?" onClose={onClose} foot={<><button type="button" className="button" data-first onClick={onClose}>Keep as it is</button><button type="button" className="button primary" disabled={isRunning} onClick={press}>Rotate</button></>}>
			<p>A new secret is made and shown once. The old one signs along for 24 hours, so that the receiver has time to change.</p>
			<div><Radios label="Signature" value={type} onChange={setType} choices={[['hmac', 'HMAC'], ['ed25519', 'ed25519']]} /></div>
			{error !== null && <p className="bad-text" role="alert"><ErrorText error={error} /></p>}
		</Dialog>
	)
}

// Many deliveries are sent again in batches of 10,000, with the count so far and a way to stop.
function Redeliver({ webhookId, mode, onClose }: { webhookId: string; mode: 'failed' | 'missing'; onClose: () => void }) {
	const [since, setSince] = useState(() => new Date(Date.now() - 86_400_000).toISOString().slice(0, 16))
	const [sent, setSent] = useState<number | null>(null)
	const [isDone, setDone] = useState(false)
	const [stop] = useState({ wanted: false })
	const [error, setError] = useState<unknown>(null)
	const [press, isRunning] = useAction(async () => {
		setError(null)
		let total = 0
		for (let more = true; more && !stop.wanted;) {
			const part = await change<Redelivered>('POST', `/webhooks/${webhookId}/redeliver`, { body: { mode, since: since + ':00Z' } })
			total += part.redelivered
			setSent(total)
			more = part.has_more
		}
		setDone(true)
		void refresh('/webhooks')
	}, setError)
	return (
		<Dialog title={mode === 'failed' ? 'Send failed again' : 'Send missing'} onClose={() => { stop.wanted = true; onClose() }} foot={<>
			<button type="button" className="button" onClick={() => { stop.wanted = true; if (!isRunning) onClose() }}>{isRunning ? 'Stop' : 'Close'}</button>
			{!isDone && <button type="button" className="button primary" disabled={isRunning} onClick={press}>{isRunning ? 'Sending…' : 'Send again'}</button>}
		</>}>
			<p>{mode === 'failed' ? 'Events that were given up are sent again. Calls to place and agents are not: they were meant for one moment.' : 'Events that it subscribes to now and was never sent are sent.'}</p>
			<Text label="Since (UTC)" type="datetime-local" value={since} onChange={setSince} disabled={isRunning} first />
			<p role="status">{sent !== null && `${plural(sent, 'event')} on ${sent === 1 ? 'its' : 'their'} way${isDone ? '.' : '…'}`}</p>
			{error !== null && <p className="bad-text" role="alert"><ErrorText error={error} /></p>}
		</Dialog>
	)
}
