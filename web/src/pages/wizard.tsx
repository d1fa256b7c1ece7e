// A new campaign in four steps. After the second step it is saved as a draft, so that nothing is lost.

import type { BatchCall, Folder } from 'api-types'
import { useEffect, useState } from 'react'
import { call, change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { count, plural } from '../base/text'
import { schedule } from '../parts/actions'
import { Card, Empty, Link, Name, Notice, PageHead } from '../parts/basics'
import { bodyOf, CallsFields, changesOf, checkForm, emptyForm, formOf, LABELS, SHOWN, WhenFields, type Form } from '../parts/campaign_form'
import { FaultSummary, faultsOf, Radios, Select, useAction, useUnsaved, type Faults } from '../parts/form'
import { useAway } from '../parts/frame'
import { ImportContacts } from '../parts/import'
import { CampaignZone, Time } from '../parts/time'
import { toast } from '../parts/toast'
import { Forecast } from './plan'

const STEPS = ['calls', 'when', 'contacts', 'check'] as const
type Step = (typeof STEPS)[number]
const NAMES: Record<Step, string> = { calls: 'Calls', when: 'When', contacts: 'Contacts', check: 'Check' }

export function Wizard() {
	const { query: words } = usePlace()
	const [form, setForm] = useState<Form>(emptyForm)
	const [draft, setDraft] = useState<BatchCall | null>(null)
	const [saved, setSaved] = useState<Form | null>(null)
	const [faults, setFaults] = useState<Faults>({})
	const step: Step = STEPS.find(one => one === words.get('step')) ?? 'calls'
	const away = useAway()
	const set = (next: Partial<Form>) => setForm(old => ({ ...old, ...next }))
	const isTouched = !draft && JSON.stringify(form) !== JSON.stringify(emptyForm())
	useUnsaved(isTouched)
	useOpened(words, (campaign, isDraft) => {
		const known = formOf(campaign)
		setForm(isDraft ? known : { ...known, name: `${campaign.name} (copy)`.slice(0, 255), start: 'immediate', date: '' })
		if (isDraft) { setDraft(campaign); setSaved(known) }
	})
	useEffect(() => {
		if (!draft && (step === 'contacts' || step === 'check') && !words.get('draft')) setQuery({ step: null })
	}, [step, draft])
	const to = (next: Step) => { setFaults({}); setQuery({ step: next === 'calls' ? null : next }, { replace: false }); window.scrollTo(0, 0); setTimeout(() => document.querySelector<HTMLElement>('h2')?.focus(), 0) }

	// Creates the draft, or changes it to match the form. Another agent needs another draft.
	const keep = async (): Promise<BatchCall> => {
		let kept = draft
		if (draft && saved && draft.agent_id === form.agent_id) {
			const changes = changesOf(saved, form)
			if (Object.keys(changes).length > 0) kept = await change<BatchCall>('PATCH', '/batch-calls/' + draft.id, { body: changes })
		} else {
			kept = await change<BatchCall>('POST', '/batch-calls', { body: bodyOf(form, true) })
			if (draft) await change('DELETE', '/batch-calls/' + draft.id)
		}
		setDraft(kept)
		setSaved(form)
		setQuery({ draft: kept!.id, copy: null })
		void refresh('/batch-calls')
		return kept!
	}
	const next = async () => {
		const wrong = checkForm(form, step === 'calls' ? ['calls'] : ['calls', 'when'])
		setFaults(wrong)
		if (Object.keys(wrong).length > 0) return
		if (step === 'when' || (step === 'calls' && draft)) await keep()
		to(STEPS[STEPS.indexOf(step) + 1])
	}
	const [goOn, isRunning] = useAction(next, error => setFaults(faultsOf(error, SHOWN)))
	const [start, isStarting] = useAction(async () => {
		if (form.start === 'immediate' || draft!.status === 'draft') await schedule(draft!)
		go('/campaigns/' + draft!.id, { force: true })
	}, error => setFaults(faultsOf(error, SHOWN)))
	return (
		<>
			<PageHead name="New campaign" title="New campaign" crumb={<Link to="/campaigns">Campaigns</Link>} after={draft && <span className="soft small">saved as draft <Time at={draft.updated_at} /></span>} />
			<nav aria-label="Steps"><ol className="steps">
				{STEPS.map((name, index) => {
					const isPast = index < STEPS.indexOf(step)
					const mark = <><b>{index + 1}</b>{NAMES[name]}</>
					return <li key={name} className={isPast ? 'done' : ''} aria-current={name === step ? 'step' : undefined}>{isPast || (draft && name !== step) ? <button type="button" className="step" onClick={() => to(name)}>{mark}</button> : <span className="step">{mark}</span>}</li>
				})}
			</ol></nav>
			<FaultSummary faults={faults} labels={LABELS} />
			{step === 'calls' && <form noValidate onSubmit={event => { event.preventDefault(); goOn() }}><Card className="form-card" title="Who calls"><CallsFields form={form} set={set} faults={faults} isNew /></Card>
				<Foot isRunning={isRunning} away={away} /></form>}
			{step === 'when' && <form noValidate onSubmit={event => { event.preventDefault(); goOn() }}><Card className="form-card" title="When it may call"><WhenFields form={form} set={set} faults={faults} /></Card>
				<Foot isRunning={isRunning} away={away} onBack={() => to('calls')} /></form>}
			{step === 'contacts' && draft && <ContactsStep draft={draft} form={form} onDraft={made => { setDraft(made); setQuery({ draft: made.id }) }} onBack={() => to('when')} onNext={() => to('check')} />}
			{step === 'check' && draft && (
				<CampaignZone.Provider value={draft.timezone}>
					<Card className="form-card" title="Forecast">
						{draft.total_contacts === 0 ? <Empty title="No contacts yet" actions={<button type="button" className="button" onClick={() => to('contacts')}>Add contacts</button>} /> : <Forecast campaign={draft} turn={draft.total_contacts} />}
					</Card>
					<div className="buttons">
						<button type="button" className="button primary" disabled={isStarting || draft.total_contacts === 0 || !!away} onClick={start}>{isStarting ? 'One moment…' : 'Schedule'}</button>
						<button type="button" className="button" onClick={() => { toast('Kept as a draft.'); go('/campaigns/' + draft.id, { force: true }) }}>Keep as draft</button>
						<button type="button" className="button quiet" onClick={() => to('contacts')}>Back</button>
					</div>
				</CampaignZone.Provider>
			)}
		</>
	)
}

// ?draft= continues a draft, ?copy= begins with the settings of another campaign.
function useOpened(words: URLSearchParams, onOpen: (campaign: BatchCall, isDraft: boolean) => void) {
	const draft = words.get('draft'), copy = words.get('copy')
	const [isOpen, setOpen] = useState(false)
	useEffect(() => {
		if (isOpen || !(draft || copy)) return
		setOpen(true)
		call<BatchCall>('GET', '/batch-calls/' + (draft ?? copy)).then(({ data }) => onOpen(data, !!draft && data.status === 'draft'), () => toast('That campaign does not exist any more.'))
	}, [draft, copy])
}

function Foot({ isRunning, away, onBack }: { isRunning: boolean; away?: string; onBack?: () => void }) {
	return (
		<div className="buttons" style={{ marginTop: 18 }}>
			<button className="button primary" disabled={isRunning || !!away} title={away}>{isRunning ? 'One moment…' : 'Next'}</button>
			{onBack && <button type="button" className="button quiet" onClick={onBack}>Back</button>}
		</div>
	)
}

function ContactsStep({ draft, form, onDraft, onBack, onNext }: { draft: BatchCall; form: Form; onDraft: (draft: BatchCall) => void; onBack: () => void; onNext: () => void }) {
	const [source, setSource] = useState<'rows' | 'folder'>(draft.contact_source === 'folder' ? 'folder' : 'rows')
	const again = async () => onDraft((await call<BatchCall>('GET', '/batch-calls/' + draft.id)).data)
	const [empty, isEmptying] = useAction(async () => {
		await change('DELETE', `/batch-calls/${draft.id}/contacts`)
		await again()
	}, error => toast(String(error)))
	return (
		<>
			<Card className="form-card" title="Contacts to call">
				<div className="stack">
					{draft.total_contacts > 0 && <Notice kind="ok" actions={draft.contact_source !== 'folder' && <button type="button" className="button small" disabled={isEmptying} onClick={empty}>Remove all</button>}>
						<p><b>{plural(draft.total_contacts, 'contact')}</b> in the draft. New contacts are added to these.</p>
						{draft.status_reason && <p>{draft.status_reason}</p>}
					</Notice>}
					<Radios label="From" value={source} onChange={setSource} choices={[['rows', 'File or paste'], ['folder', 'Folder']]} />
					{source === 'rows' ? <ImportContacts path={`/batch-calls/${draft.id}/contacts/import`} onLoaded={() => void again()} skippedText="in the campaign already" />
						: <FromFolder draft={draft} form={form} onDraft={onDraft} />}
				</div>
			</Card>
			<div className="buttons">
				<button type="button" className="button primary" disabled={draft.total_contacts === 0} onClick={onNext}>Next</button>
				<button type="button" className="button quiet" onClick={onBack}>Back</button>
			</div>
		</>
	)
}

// The folder is set when a campaign is created. So another draft is created, and the old draft is deleted.
function FromFolder({ draft, form, onDraft }: { draft: BatchCall; form: Form; onDraft: (draft: BatchCall) => void }) {
	const folders = useLive<Folder[]>('/contacts/folders?limit=100')
	const [folder, setFolder] = useState(draft.contact_folder_id ?? '')
	const [fault, setFault] = useState('')
	const [take, isRunning] = useAction(async () => {
		const made = await change<BatchCall>('POST', '/batch-calls', { body: { ...bodyOf(form, true), schedule_type: 'immediate', scheduled_at: null, contact_source: 'folder', contact_folder_id: folder } })
		await change('DELETE', '/batch-calls/' + draft.id)
		if (form.start === 'scheduled') await change('PATCH', '/batch-calls/' + made.id, { body: { schedule_type: 'scheduled', scheduled_at: `${form.date}T${form.time}` } })
		onDraft(made)
		void refresh('/batch-calls')
		toast(`${plural(made.total_contacts, 'contact')} copied${made.status_reason ? '; the others follow' : ''}.`)
	}, error => setFault(Object.values(faultsOf(error, [])).join('; ')))
	if (folders.data?.length === 0) return <p className="soft">There are no folders yet. <Link to="/contacts">Contacts</Link> can be kept in them.</p>
	return (
		<div className="stack close">
			<Select label="Folder" value={folder} onChange={setFolder} fault={fault} hint="Its contacts are copied: 10,000 at once, the others follow by themselves">
				<option value="">Choose a folder</option>
				{folders.data?.map(one => <option key={one.id} value={one.id}>{one.name} ({count(one.contact_count)})</option>)}
			</Select>
			<button type="button" className="button primary" style={{ justifySelf: 'start' }} disabled={!folder || isRunning} onClick={take}>{isRunning ? 'Copying…' : 'Take these contacts'}</button>
			{draft.contact_source === 'folder' && <p className="soft">This draft has the contacts of <Name>{folders.data?.find(one => one.id === draft.contact_folder_id)?.name ?? 'a folder'}</Name>.</p>}
		</div>
	)
}

export function AddContacts({ campaign }: { campaign: BatchCall }) {
	return (
		<>
			<Card className="form-card" title="Add contacts">
				<ImportContacts path={`/batch-calls/${campaign.id}/contacts/import`} verb="Add" skippedText="in the campaign already" onLoaded={result => { void refresh('/batch-calls/' + campaign.id); toast(`${plural(result.imported, 'contact')} added.`) }} />
			</Card>
			<div className="buttons"><Link to={`/campaigns/${campaign.id}/contacts` + query({})} className="button">See the contacts</Link></div>
		</>
	)
}
