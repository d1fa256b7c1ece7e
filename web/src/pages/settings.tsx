// Keys, contact limits, and the preferences of the viewer.

import type { Key, KeyWithText, Organization, Scope } from 'api-types'
import { useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { setPref, usePrefs } from '../base/prefs'
import { useMay, useSession } from '../base/session'
import { count } from '../base/text'
import { MY_ZONE, zoneName } from '../base/time'
import { weekOf, weekText } from '../base/week'
import { scopeWords } from '../base/words'
import { Card, Empty, Failure, Link, Name, Notice, PageHead, Skeleton } from '../parts/basics'
import { CountryHours, type CallWindow } from '../parts/campaign_form'
import { ask, Dialog, SecretDialog } from '../parts/dialog'
import { Amount, Check, faultsOf, FaultSummary, Group, Radios, Text, useAction, useUnsaved, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { Table } from '../parts/table'
import { Time } from '../parts/time'
import { toast, toastError } from '../parts/toast'
import { Audit } from './audit'

export function Settings({ tab }: { tab: string }) {
	const tabs: [string, string][] = [['view', 'View'], ['keys', 'Keys'], ['limits', 'Contact limits'], ['audit', 'Audit log']]
	return (
		<>
			<PageHead name={`${tabs.find(([name]) => name === tab)![1]} · Settings`} title="Settings" />
			<nav className="tabs" aria-label="Settings">{tabs.map(([name, text]) => <Link key={name} to={'/settings/' + name} aria-current={name === tab ? 'page' : undefined}>{text}</Link>)}</nav>
			{tab === 'view' ? <View /> : tab === 'keys' ? <Keys /> : tab === 'audit' ? <Audit /> : <Limits />}
		</>
	)
}

function View() {
	const view = usePrefs()
	return (
		<Card className="form-card">
			<div className="form">
				<Group label="Theme"><div><Radios label="Theme" value={view.theme} onChange={value => setPref('theme', value)} choices={[['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]} /></div></Group>
				<Group label="Times" hint="On all pages, axes of charts too. Elsewhere than on a campaign, “campaign” means your own zone"><div><Radios label="Times" value={view.zone} onChange={value => setPref('zone', value)} choices={[['campaign', 'Of the campaign'], ['mine', `Mine (${zoneName(MY_ZONE)})`], ['utc', 'UTC']]} /></div></Group>
				<Group label="Keyboard"><Check checked={view.shortcuts} onChange={value => setPref('shortcuts', value)}>Single keys, such as <kbd>g</kbd> <kbd>c</kbd> or <kbd>p</kbd></Check></Group>
				<Group label="Long tables" hint="For screen readers that do not count the rows of a table that scrolls, and for printing"><Check checked={view.pages} onChange={value => setPref('pages', value)}>Pages of 100 rows instead of scrolling</Check></Group>
				<Group label="Numbers" hint="For when others see your screen"><Check checked={view.masked} onChange={value => setPref('masked', value)}>Mask telephone numbers</Check></Group>
				<p className="small soft">Kept in this browser. Motion follows your system.</p>
			</div>
		</Card>
	)
}

function Keys() {
	const isAdmin = useMay('admin')
	const session = useSession()
	const { data, error } = useLive<Key[]>(isAdmin ? '/keys?limit=100' : null, 15_000)
	const [isNew, setNew] = useState(false)
	if (!isAdmin)
		return <Card><Empty title="Your key may not see keys">It lacks the scope “admin”.{session && <> It is <Name>{session.current.name}</Name>, and may {session.current.scopes.map(scope => scopeWords[scope]).join(', ')}{session.current.expires_at && <>, until <Time at={session.current.expires_at} full /></>}.</>}</Empty></Card>
	return (
		<>
			<Card flush title="Keys" actions={<button type="button" className="button small primary" data-key="n" onClick={() => setNew(true)}><Icon name="plus" />New key</button>}>
				{error && !data ? <Failure error={error} what="The keys" /> : !data ? <div style={{ padding: 18 }}><Skeleton /></div>
					: <Table label="Keys" rows={data.filter(key => !key.revoked_at)} keyOf={row => row.id} columns={[
						{ title: 'Name', cell: row => <><span className="name"><Name>{row.name}</Name></span>{row.id === (session?.current.parent_id ?? session?.current.id) && <> <span className="badge">this one</span></>}</> },
						{ title: 'May', className: 'wide', cell: row => <span className="soft">{row.scopes.join(', ')}</span> },
						{ title: 'Last used', className: 'tight off-narrow', cell: row => <span className="soft"><Time at={row.last_used_at} /></span> },
						{ title: 'Ends', className: 'tight off-narrow', cell: row => <span className="soft">{row.expires_at ? <Time at={row.expires_at} full dateOnly /> : 'never'}</span> },
						{ title: <span className="hidden">Action</span>, className: 'tight end', cell: row => <button type="button" className="button small" aria-label={`Revoke ${row.name}`} onClick={() => ask({
							title: 'Revoke this key?', verb: 'Revoke it', text: <><p><Name>{row.name}</Name></p><p>Nobody takes it any more within two seconds. This cannot be undone.{row.id === (session?.current.parent_id ?? session?.current.id) && ' It is the key that this page uses.'}</p></>,
							run: async () => { await change('DELETE', '/keys/' + row.id); await refresh('/keys'); toast('Revoked.') },
						})}>Revoke…</button> },
					]} />}
			</Card>
			{isNew && <NewKey onClose={() => setNew(false)} />}
		</>
	)
}

function NewKey({ onClose }: { onClose: () => void }) {
	const [name, setName] = useState('')
	const [scopes, setScopes] = useState<Scope[]>(['read', 'write'])
	const [end, setEnd] = useState('')
	const [faults, setFaults] = useState<Faults>({})
	const [made, setMade] = useState<KeyWithText | null>(null)
	const [press, isRunning] = useAction(async () => {
		const own: Faults = {}
		if (!name.trim()) own.name = 'must not be empty'
		if (scopes.length === 0) own.scopes = 'choose at least one'
		setFaults(own)
		if (Object.keys(own).length > 0) return
		setMade(await change<KeyWithText>('POST', '/keys', { body: { name: name.trim(), scopes, expires_at: end ? new Date(end + 'T23:59').toISOString() : null } }))
		void refresh('/keys')
	}, error => setFaults(faultsOf(error, ['name', 'scopes', 'expires_at'])))
	if (made?.key) return <SecretDialog title={`The key “${made.name}”`} secret={made.key} onClose={onClose}>It is shown this once.</SecretDialog>
	return (
		<Dialog title="New key" onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="key-form" className="button primary" disabled={isRunning}>Make it</button></>}>
			<form id="key-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={{ name: 'Name', scopes: 'May', expires_at: 'Ends' }} />
				<Text label="Name" value={name} onChange={setName} fault={faults.name} placeholder="Dashboard of Ada" first />
				<Group label="May" fault={faults.scopes}>{(Object.keys(scopeWords) as Scope[]).map(scope => <Check key={scope} checked={scopes.includes(scope)} onChange={isOn => setScopes(isOn ? [...scopes, scope] : scopes.filter(one => one !== scope))}>{scope}: <span className="soft">{scopeWords[scope]}</span></Check>)}</Group>
				<Text label="Ends" type="date" value={end} onChange={setEnd} fault={faults.expires_at} hint="Without a day: never" />
			</form>
		</Dialog>
	)
}

interface Limit { max_attempts: number | null; many: number | null; unit: 'hours' | 'days' }

function Limits() {
	const { data, error } = useLive<Organization>('/organization')
	if (error && !data) return <Failure error={error} what="The limits" />
	if (!data) return <Skeleton />
	return <>
		<EditLimits organization={data} key={data.updated_at} />
		<DefaultHours organization={data} />
	</>
}

// The hours of campaigns that are created without hours.
function DefaultHours({ organization }: { organization: Organization }) {
	const isAdmin = useMay('admin')
	const windows = organization.default_calling_windows
	const set = async (next: CallWindow[] | null) => {
		await change('PATCH', '/organization', { body: { default_calling_windows: next } })
		await refresh('/organization')
		toast('Saved. It holds for campaigns that are made from now on.')
	}
	return (
		<Card className="form-card" title="Hours of campaigns that give none">
			<div className="form">
				<p>{windows.length > 0 ? weekText(weekOf({ calling_windows: windows, start_time: null, end_time: null, working_days: [1, 2, 3, 4, 5, 6, 7] })) : 'None: such campaigns call around the clock.'}</p>
				{isAdmin && <>
					<CountryHours onChoose={next => { set(next).catch(toastError) }} />
					{windows.length > 0 && <div className="buttons"><button type="button" className="button" onClick={() => { set(null).catch(toastError) }}>No default hours</button></div>}
				</>}
			</div>
		</Card>
	)
}

function EditLimits({ organization }: { organization: Organization }) {
	const isAdmin = useMay('admin')
	const [base] = useState(() => ({
		limits: organization.contact_limits.map((limit): Limit => ({ max_attempts: limit.max_attempts, many: limit.period_days ?? limit.period_hours, unit: limit.period_days ? 'days' : 'hours' })),
		rest: organization.rest_hours_after_conversation,
	}))
	const [limits, setLimits] = useState(base.limits)
	const [rest, setRest] = useState(base.rest)
	const [faults, setFaults] = useState<Faults>({})
	const isDirty = JSON.stringify({ limits, rest }) !== JSON.stringify(base)
	useUnsaved(isDirty)
	const set = (at: number, next: Partial<Limit>) => setLimits(limits.map((limit, index) => index === at ? { ...limit, ...next } : limit))
	const [press, isRunning] = useAction(async () => {
		await change('PATCH', '/organization', { body: { contact_limits: limits.map(limit => ({ max_attempts: limit.max_attempts, [limit.unit === 'days' ? 'period_days' : 'period_hours']: limit.many })), rest_hours_after_conversation: rest } })
		await refresh('/organization')
		toast('Saved. The limits hold for every call that is not claimed yet.')
	}, error => setFaults(faultsOf(error, ['contact_limits', 'rest_hours_after_conversation'])))
	return (
		<Card className="form-card" title="How often one number is called">
			<form className="form" noValidate onSubmit={event => { event.preventDefault(); setFaults({}); press() }}>
				<FaultSummary faults={faults} labels={{ contact_limits: 'Limits', rest_hours_after_conversation: 'Rest' }} />
				<p className="soft">By all campaigns and single calls together. Limits defer calls and drop none.</p>
				{!isAdmin && <Notice kind="info"><p>Your key may not change this: it lacks the scope “admin”.</p></Notice>}
				<fieldset disabled={!isAdmin} className="form">
					<legend className="hidden">Limits</legend>
					{limits.length === 0 && <p>No limit yet.</p>}
					{limits.map((limit, index) => (
						<div className="window-row" key={index}>
							<span>At most</span>
							<NumberInput label={`Attempts of limit ${index + 1}`} value={limit.max_attempts} onChange={max_attempts => set(index, { max_attempts })} />
							<span>{limit.max_attempts === 1 ? 'attempt' : 'attempts'} in</span>
							<NumberInput label={`Length of limit ${index + 1}`} value={limit.many} onChange={many => set(index, { many })} />
							<Radios label={`Unit of limit ${index + 1}`} value={limit.unit} onChange={unit => set(index, { unit })} choices={[['hours', 'hours'], ['days', 'days']]} />
							<button type="button" className="button icon small quiet" aria-label={`Remove limit ${index + 1}`} onClick={() => setLimits(limits.filter((_, at) => at !== index))}><Icon name="close" /></button>
						</div>
					))}
					{limits.length < 10 && isAdmin && <button type="button" className="button quiet small" style={{ justifySelf: 'start' }} onClick={() => setLimits([...limits, { max_attempts: 3, many: 7, unit: 'days' }])}><Icon name="plus" />Another limit</button>}
					<Amount label="Rest after a conversation" unit="hours" placeholder="none" value={rest} onChange={setRest} fault={faults.rest_hours_after_conversation} />
				</fieldset>
				{isAdmin && <div className="buttons"><button className="button primary" disabled={!isDirty || isRunning}>Save</button><span className="soft">{count(limits.length)} of 10 limits</span></div>}
			</form>
		</Card>
	)
}

function NumberInput({ label, value, onChange }: { label: string; value: number | null; onChange: (value: number | null) => void }) {
	return <input className="input" style={{ width: 72 }} inputMode="numeric" aria-label={label} value={value ?? ''} onChange={event => { if (/^\d{0,4}$/.test(event.target.value)) onChange(event.target.value === '' ? null : Number(event.target.value)) }} />
}
