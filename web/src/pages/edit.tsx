// The settings of a campaign, and how a change of them moves its plan.

import type { BatchCall, Preview } from 'api-types'
import { useEffect, useMemo, useState } from 'react'
import { ApiError, call, change } from '../base/api'
import { refresh } from '../base/poll'
import { go, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, plural } from '../base/text'
import { spanText } from '../base/time'
import { may } from '../parts/actions'
import { Card, ErrorText, Notice, Skeleton, useRested } from '../parts/basics'
import { CallsFields, changesOf, checkForm, formOf, LABELS, SHOWN, WhenFields, type Form } from '../parts/campaign_form'
import { PlanChart } from '../parts/chart'
import { FaultSummary, faultsOf, useAction, useUnsaved, type Faults } from '../parts/form'
import { useAway } from '../parts/frame'
import { Time } from '../parts/time'
import { toast } from '../parts/toast'

export function Edit({ campaign }: { campaign: BatchCall }) {
	const [base, setBase] = useState(() => ({ form: formOf(campaign), updated: campaign.updated_at }))
	const [form, setForm] = useState<Form>(base.form)
	const [faults, setFaults] = useState<Faults>({})
	const [etag, setEtag] = useState<string | null>(null)
	const mayWrite = useMay('write')
	const { query: words } = usePlace()
	const away = useAway()
	const isOpen = may('edit', campaign) && mayWrite
	const changes = useMemo(() => changesOf(base.form, form), [base, form])
	const isDirty = Object.keys(changes).length > 0
	useUnsaved(isDirty)
	useEffect(() => {
		// The tag of the campaign in the form: a change by another user meanwhile is reported, not undone.
		call<BatchCall>('GET', '/batch-calls/' + campaign.id).then(({ data, etag }) => {
			setEtag(etag)
			setBase({ form: formOf(data), updated: data.updated_at })
			setForm(old => Object.keys(changesOf(base.form, old)).length ? old : formOf(data))
		}, () => undefined)
	}, [campaign.id])
	useEffect(() => {
		const at = words.get('at')
		const place = at && document.querySelector(`[data-at="${CSS.escape(at)}"]`)
		if (!place) return
		place.scrollIntoView({ block: 'center' })
		place.querySelector<HTMLElement>('input, button')?.focus()
	}, [words.get('at')])
	const set = (next: Partial<Form>) => setForm(old => ({ ...old, ...next }))
	const save = async () => {
		const own = checkForm(form, ['calls', 'when'])
		setFaults(own)
		if (Object.keys(own).length > 0) return
		const saved = await change<BatchCall>('PATCH', '/batch-calls/' + campaign.id, { body: changes, ifMatch: etag ?? undefined })
		setBase({ form: formOf(saved), updated: saved.updated_at })
		setForm(formOf(saved))
		await refresh('/batch-calls')
		toast('Saved.')
		setTimeout(() => go('/campaigns/' + campaign.id, { force: true }), 0)
	}
	const [press, isSaving] = useAction(save, error => setFaults(error instanceof ApiError && error.code === 'precondition_failed'
		? { '': 'Somebody else changed this campaign meanwhile. Load its settings again, then make your change.' } : faultsOf(error, SHOWN)))
	if (!isOpen)
		return <><Notice kind="info"><p>{mayWrite ? 'A campaign that is over cannot be changed. Copy it to call with other settings.' : 'Your key may not change it: it lacks the scope “write”.'}</p></Notice>
			<Card><fieldset disabled><WhenFields form={form} set={set} faults={{}} locked /></fieldset></Card></>
	return (
		<form className="stack" onSubmit={event => { event.preventDefault(); press() }} noValidate>
			<FaultSummary faults={faults} labels={LABELS} />
			<Card className="form-card" title="Calls"><CallsFields form={form} set={set} faults={faults} /></Card>
			<Card className="form-card" title="When"><WhenFields form={form} set={set} faults={faults} locked={campaign.status === 'active'} /></Card>
			{isDirty && <Card className="form-card" title="What this change moves"><Moves campaign={campaign} changes={changes} /></Card>}
			<div className="buttons">
				<button className="button primary" disabled={!isDirty || isSaving || !!away} title={away}>{isSaving ? 'One moment…' : 'Save'}</button>
				{isDirty && <button type="button" className="button" onClick={() => { setForm(base.form); setFaults({}) }}>Undo changes</button>}
			</div>
		</form>
	)
}

function Moves({ campaign, changes }: { campaign: BatchCall; changes: Record<string, unknown> }) {
	const rested = useRested(JSON.stringify(changes), 400)
	const [result, setResult] = useState<{ before: Preview; after: Preview } | null>(null)
	const [error, setError] = useState<unknown>(null)
	useEffect(() => {
		const abort = new AbortController()
		const ask = (body: unknown) => call<Preview>('POST', `/batch-calls/${campaign.id}/preview`, { body, signal: abort.signal })
		const figures = { average_call_seconds: 90 }
		Promise.all([ask(figures), ask({ ...figures, changes: JSON.parse(rested) })]).then(([before, after]) => {
			setResult({ before: before.data, after: after.data })
			setError(null)
		}, failure => { if (!abort.signal.aborted) setError(failure) })
		return () => abort.abort()
	}, [rested, campaign.id])
	if (error !== null) return <p className="bad-text" role="status"><ErrorText error={error} /></p>
	if (!result) return <Skeleton rows={3} />
	const { before, after } = result
	return (
		<div className="stack close" aria-live="polite">
			<p>{moveText(after)}</p>
			<p className="soft">
				{before.days.length !== after.days.length ? `${plural(after.days.length, 'day')} instead of ${count(before.days.length)}. ` : `${plural(after.days.length, 'day')}. `}
				{after.estimate?.estimated_end && <>Ends about <Time at={after.estimate.estimated_end} both full /> when a call takes 90 s.</>}
			</p>
			{after.days.length > 0 && <PlanChart label="Contacts a day" unit="after the change" days={after.days.map(day => ({ period: day.date, value: day.contacts }))} before={before.days.map(day => ({ period: day.date, value: day.contacts }))} />}
			{after.days.length > 0 && <ul className="legend"><li><span className="swatch" style={{ background: 'var(--plan)' }} />before</li><li><span className="swatch" style={{ background: 'var(--accent)' }} />after</li></ul>}
		</div>
	)
}

// "Of 8,966 waiting contacts 8,966 come later, by 9 days on average, at most 18 days."
export function moveText({ change: moved, contacts }: Preview): string {
	if (contacts === 0) return 'No contact waits.'
	if (!moved || (moved.earlier === 0 && moved.later === 0)) return `None of the ${plural(contacts, 'waiting contact')} moves.`
	const parts: string[] = []
	if (moved.later > 0) parts.push(`${count(moved.later)} ${moved.later === 1 ? 'comes' : 'come'} later, at most by ${spanText(moved.most_later_seconds)}`)
	if (moved.earlier > 0) parts.push(`${count(moved.earlier)} ${moved.earlier === 1 ? 'comes' : 'come'} earlier, at most by ${spanText(moved.most_earlier_seconds)}`)
	const mean = Math.abs(moved.mean_shift_seconds) >= 1 ? `; on average ${spanText(moved.mean_shift_seconds)} ${moved.mean_shift_seconds > 0 ? 'later' : 'earlier'}` : ''
	return `Of ${plural(moved.contacts, 'waiting contact')} ${parts.join(', and ')}${mean}.`
}

