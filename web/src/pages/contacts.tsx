// Stored contacts, in folders.

import type { CallOutcome, Contact, Folder } from 'api-types'
import { useEffect, useMemo, useState } from 'react'
import { change } from '../base/api'
import { refresh, useLive } from '../base/poll'
import { go, query, setQuery, usePlace } from '../base/route'
import { useMay } from '../base/session'
import { count, fullName, phone, phoneIn, plural } from '../base/text'
import { callWords, outcomeWords } from '../base/words'
import { Card, Empty, Failure, Link, Menu, Name, PageHead, Skeleton, Status, useRested } from '../parts/basics'
import { ask, Dialog } from '../parts/dialog'
import { faultsOf, FaultSummary, Select, Text, useAction, useUnsaved, type Faults } from '../parts/form'
import { Icon } from '../parts/icon'
import { ImportContacts } from '../parts/import'
import { LongTable, type Column } from '../parts/table'
import { Time } from '../parts/time'
import { toast } from '../parts/toast'
import { Fields } from './contacts_of'

export function Contacts({ folderId }: { folderId: string | null }) {
	const { query: words } = usePlace()
	const [typed, setTyped] = useState(words.get('q') ?? '')
	const [total, setTotal] = useState<number | null>(null)
	const [isNew, setNew] = useState(false)
	const [isImport, setImport] = useState(false)
	const [isFolder, setFolder] = useState<'new' | 'edit' | null>(null)
	const rested = useRested(typed.trim(), 300)
	const mayWrite = useMay('write')
	const folder = useLive<Folder>(folderId ? '/contacts/folders/' + folderId : null, 15_000)
	const q = words.get('q') ?? '', outcome = words.get('outcome') ?? ''
	useEffect(() => {
		if (rested !== q) setQuery({ q: rested })
	}, [rested])
	const pathOf = useMemo(() => (offset: number, limit: number) => '/contacts' + query({
		folder_id: folderId, search: phoneIn(q) ?? q, last_call_outcome: outcome, offset: offset || null, limit,
	}), [folderId, q, outcome])
	const columns: Column<Contact>[] = [
		{ title: 'Number', width: '170px', cell: row => <Link to={'/contacts/' + row.id} data-row>{phone(row.phone_number)}</Link> },
		{ title: 'Name', className: 'second', cell: row => <Name>{fullName(row) || '–'}</Name> },
		{ title: 'Email', className: 'off-narrow', cell: row => <Name>{row.email ?? '–'}</Name> },
		{ title: 'Last call', width: '150px', className: 'end', cell: row => row.last_call_outcome ? <Status word={callWords[row.last_call_outcome]} /> : <span className="faint">–</span> },
		{ title: 'When', width: '190px', className: 'off-narrow', cell: row => <span className="soft"><Time at={row.last_called_at} /></span> },
	]
	const isNarrowed = !!(q || outcome)
	const clear = () => { setTyped(''); setQuery({ q: null, outcome: null }) }
	const title = folderId ? folder.data?.name ?? 'Folder' : 'Contacts'
	return (
		<>
			<PageHead name={title} key={folderId ?? ''} title={<><Name>{title}</Name>{total !== null && <span className="count"> {count(total)}</span>}</>} crumb={folderId ? <Link to="/contacts">Contacts</Link> : undefined}
				below={folder.data?.description ? <Name>{folder.data.description}</Name> : undefined}
				actions={mayWrite && <>
					<button type="button" className="button primary" onClick={() => setImport(true)}><Icon name="plus" />Import</button>
					<button type="button" className="button" data-key="n" onClick={() => setNew(true)}>New contact</button>
					{folder.data && <Menu label="More about this folder">
						<button type="button" onClick={() => setFolder('edit')}><Icon name="edit" />Rename</button>
						<button type="button" className="danger" onClick={() => ask({
							title: 'Delete this folder?', verb: 'Delete it', text: <>Its {plural(folder.data!.contact_count, 'contact')} go with it. Campaigns keep their copies. This cannot be undone.</>,
							run: async () => { await change('DELETE', '/contacts/folders/' + folderId); await refresh('/contacts'); toast('Deleted.'); go('/contacts') },
						})}><Icon name="trash" />Delete…</button>
					</Menu>}
				</>} />
			<div className="split-list">
				<Folders folderId={folderId} onNew={mayWrite ? () => setFolder('new') : undefined} />
				<div className="stack">
					<div className="filters">
						<div className="search"><Icon name="search" /><input className="input" type="search" aria-label="Number, name or email" placeholder="Number, name or email" value={typed} onChange={event => setTyped(event.target.value)} /></div>
						<div className="inline"><Select hideLabel label="Last call" value={outcome} onChange={value => setQuery({ outcome: value })}>
							<option value="">Any last call</option>
							{(Object.keys(outcomeWords) as CallOutcome[]).map(one => <option key={one} value={one}>{outcomeWords[one]}</option>)}
						</Select></div>
						{isNarrowed && <button type="button" className="button quiet small" data-key="Escape" onClick={clear}>Clear filters</button>}
					</div>
					<Card flush label="Contacts">
						<LongTable<Contact> key={q + outcome} what="The contacts" label={title} columns={columns} pathOf={pathOf} ms={20_000} onOpen={row => go('/contacts/' + row.id)} onTotal={setTotal}
							empty={isNarrowed ? <Empty title="No contact matches" actions={<button type="button" className="button" onClick={clear}>Clear filters</button>} />
								: <Empty title="No contacts here yet" actions={mayWrite && <button type="button" className="button primary" onClick={() => setImport(true)}>Import</button>}>Contacts that are kept here can be called by many campaigns, which get copies.</Empty>} />
					</Card>
				</div>
			</div>
			{isNew && <ContactDialog folderId={folderId} onClose={() => setNew(false)} />}
			{isImport && <ImportDialog folderId={folderId} onClose={() => setImport(false)} />}
			{isFolder && <FolderDialog folder={isFolder === 'edit' ? folder.data : null} onClose={() => setFolder(null)} />}
		</>
	)
}

function Folders({ folderId, onNew }: { folderId: string | null; onNew?: () => void }) {
	const [sort, setSort] = useState('created_at.desc')
	const [search, setSearch] = useState('')
	const rested = useRested(search.trim(), 300)
	const [sortBy, order] = sort.split('.')
	const { data, error, reply } = useLive<Folder[]>('/contacts/folders' + query({ sort_by: sortBy, order, search: rested, limit: 100 }), 20_000)
	return (
		<Card title="Folders" actions={onNew && <button type="button" className="button small" onClick={onNew}><Icon name="plus" />New</button>}>
			<div className="stack close">
				{((reply?.pagination?.total ?? 0) > 8 || rested) && <input className="input" type="search" aria-label="Search folders" placeholder="Search folders" value={search} onChange={event => setSearch(event.target.value)} />}
				<Select hideLabel label="Order of folders" value={sort} onChange={setSort}>
					<option value="created_at.desc">Newest first</option><option value="name.asc">By name</option><option value="contact_count.desc">Largest first</option>
				</Select>
				{error && !data && <Failure error={error} what="The folders" />}
				<nav className="folder-list" aria-label="Folders">
					<Link to="/contacts" aria-current={folderId === null ? 'page' : undefined}>All contacts</Link>
					{!data ? <Skeleton rows={3} /> : data.map(folder => <Link key={folder.id} to={'/contacts/folders/' + folder.id} aria-current={folder.id === folderId ? 'page' : undefined}><Name>{folder.name}</Name><span className="soft">{count(folder.contact_count)}</span></Link>)}
				</nav>
			</div>
		</Card>
	)
}

function FolderDialog({ folder, onClose }: { folder: Folder | null; onClose: () => void }) {
	const [name, setName] = useState(folder?.name ?? '')
	const [description, setDescription] = useState(folder?.description ?? '')
	const [faults, setFaults] = useState<Faults>({})
	const [press, isRunning] = useAction(async () => {
		if (!name.trim()) {
			setFaults({ name: 'must not be empty' })
			return
		}
		const body = { name: name.trim(), description: description.trim() || null }
		const made = folder ? await change<Folder>('PATCH', '/contacts/folders/' + folder.id, { body }) : await change<Folder>('POST', '/contacts/folders', { body })
		await refresh('/contacts/folders')
		onClose()
		go('/contacts/folders/' + made.id)
	}, error => setFaults(faultsOf(error, ['name', 'description'])))
	return (
		<Dialog title={folder ? 'Rename the folder' : 'New folder'} onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="folder-form" className="button primary" disabled={isRunning}>Save</button></>}>
			<form id="folder-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
				<FaultSummary faults={faults} labels={{ name: 'Name', description: 'Description' }} />
				<Text label="Name" value={name} onChange={setName} fault={faults.name} first />
				<Text label="Description" value={description} onChange={setDescription} fault={faults.description} />
			</form>
		</Dialog>
	)
}

function ImportDialog({ folderId, onClose }: { folderId: string | null; onClose: () => void }) {
	const folders = useLive<Folder[]>('/contacts/folders?limit=100')
	const [target, setTarget] = useState(folderId ?? '')
	const [overwrite, setOverwrite] = useState('')
	return (
		<Dialog title="Import contacts" wide onClose={onClose} foot={<button type="button" className="button" onClick={onClose}>Close</button>}>
			<div className="form-row">
				<Select label="Into the folder" value={target} onChange={setTarget}>
					<option value="">A new one</option>
					{folders.data?.map(folder => <option key={folder.id} value={folder.id}>{folder.name}</option>)}
				</Select>
				<Select label="A number that is there already" value={overwrite} onChange={setOverwrite}>
					<option value="">stays as it is</option><option value="true">is overwritten</option>
				</Select>
			</div>
			<ImportContacts key={target + overwrite} path="/contacts/import" words={{ folder_id: target || null, overwrite_existing: overwrite || null }} skippedText="in the folder already"
				onLoaded={result => { void refresh('/contacts'); toast(`${plural(result.imported, 'contact')} loaded.`); if (!folderId && result.folder_id) { onClose(); go('/contacts/folders/' + result.folder_id) } }} />
		</Dialog>
	)
}

interface ContactForm { phone_number: string; first_name: string; last_name: string; email: string; timezone: string; custom_fields: string; folder_id: string }
const CONTACT_LABELS = { phone_number: 'Number', first_name: 'First name', last_name: 'Last name', email: 'Email', timezone: 'Time zone', custom_fields: 'Custom fields', folder_id: 'Folder' }

function contactBody(form: ContactForm): { body: Record<string, unknown>; faults: Faults } {
	const faults: Faults = {}
	const number = phoneIn(form.phone_number)
	if (!number) faults.phone_number = 'must be a number such as +12025550147'
	let custom: unknown = null
	try {
		custom = form.custom_fields.trim() ? JSON.parse(form.custom_fields) : null
		if (custom !== null && (typeof custom !== 'object' || Array.isArray(custom))) faults.custom_fields = 'must be an object of JSON'
	} catch {
		faults.custom_fields = 'must be an object of JSON'
	}
	const text = (value: string) => value.trim() || null
	return { faults, body: { phone_number: number, first_name: text(form.first_name), last_name: text(form.last_name), email: text(form.email), timezone: text(form.timezone), custom_fields: custom, folder_id: form.folder_id || null } }
}

function ContactFields({ form, set, faults }: { form: ContactForm; set: (next: Partial<ContactForm>) => void; faults: Faults }) {
	const folders = useLive<Folder[]>('/contacts/folders?limit=100')
	return (
		<>
			<FaultSummary faults={faults} labels={CONTACT_LABELS} />
			<Text label="Number" type="tel" value={form.phone_number} onChange={phone_number => set({ phone_number })} fault={faults.phone_number} placeholder="+12025550147" first />
			<div className="form-row">
				<Text label="First name" value={form.first_name} onChange={first_name => set({ first_name })} fault={faults.first_name} />
				<Text label="Last name" value={form.last_name} onChange={last_name => set({ last_name })} fault={faults.last_name} />
			</div>
			<div className="form-row">
				<Text label="Email" type="email" value={form.email} onChange={email => set({ email })} fault={faults.email} />
				<Text label="Time zone" value={form.timezone} onChange={timezone => set({ timezone })} fault={faults.timezone} placeholder="Europe/Berlin" />
			</div>
			<Select label="Folder" value={form.folder_id} onChange={folder_id => set({ folder_id })} fault={faults.folder_id}>
				<option value="">None</option>
				{folders.data?.map(folder => <option key={folder.id} value={folder.id}>{folder.name}</option>)}
			</Select>
			<Text label="Custom fields" lines={4} mono value={form.custom_fields} onChange={custom_fields => set({ custom_fields })} fault={faults.custom_fields} hint="An object of JSON for the dialer" />
		</>
	)
}

function ContactDialog({ folderId, onClose }: { folderId: string | null; onClose: () => void }) {
	const [form, setForm] = useState<ContactForm>({ phone_number: '', first_name: '', last_name: '', email: '', timezone: '', custom_fields: '', folder_id: folderId ?? '' })
	const [faults, setFaults] = useState<Faults>({})
	const [press, isRunning] = useAction(async () => {
		const { body, faults: wrong } = contactBody(form)
		setFaults(wrong)
		if (Object.keys(wrong).length > 0) return
		await change('POST', '/contacts', { body })
		await refresh('/contacts')
		toast('Saved.')
		onClose()
	}, error => setFaults(faultsOf(error, Object.keys(CONTACT_LABELS))))
	return (
		<Dialog title="New contact" onClose={onClose} foot={<><button type="button" className="button" onClick={onClose}>Close</button><button form="contact-form" className="button primary" disabled={isRunning}>Save</button></>}>
			<form id="contact-form" className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}><ContactFields form={form} set={next => setForm(old => ({ ...old, ...next }))} faults={faults} /></form>
		</Dialog>
	)
}

export function OneContact({ id }: { id: string }) {
	const { data: contact, error } = useLive<Contact>('/contacts/' + id)
	if (error && !contact) return <><PageHead name="Contact" title={error.status === 404 ? 'There is no such contact in this organisation' : 'Contact'} crumb={<Link to="/contacts">Contacts</Link>} />{error.status !== 404 && <Failure error={error} what="The contact" />}</>
	if (!contact) return <><PageHead name="Contact" title="Contact" crumb={<Link to="/contacts">Contacts</Link>} /><Skeleton rows={6} /></>
	return <EditContact contact={contact} key={contact.updated_at} />
}

function EditContact({ contact }: { contact: Contact }) {
	const mayWrite = useMay('write')
	const [base] = useState<ContactForm>({
		phone_number: contact.phone_number, first_name: contact.first_name ?? '', last_name: contact.last_name ?? '', email: contact.email ?? '', timezone: contact.timezone ?? '',
		custom_fields: contact.custom_fields ? JSON.stringify(contact.custom_fields, null, 2) : '', folder_id: contact.folder_id ?? '',
	})
	const [form, setForm] = useState(base)
	const [faults, setFaults] = useState<Faults>({})
	const isDirty = JSON.stringify(form) !== JSON.stringify(base)
	useUnsaved(isDirty)
	const [press, isRunning] = useAction(async () => {
		const { body, faults: wrong } = contactBody(form)
		setFaults(wrong)
		if (Object.keys(wrong).length > 0) return
		await change('PATCH', '/contacts/' + contact.id, { body })
		await refresh('/contacts')
		toast('Saved.')
	}, error => setFaults(faultsOf(error, Object.keys(CONTACT_LABELS))))
	return (
		<>
			<PageHead name={fullName(contact) || phone(contact.phone_number)} title={<Name>{fullName(contact) || phone(contact.phone_number)}</Name>} crumb={<Link to="/contacts">Contacts</Link>}
				after={contact.last_call_outcome && <Status word={callWords[contact.last_call_outcome]} pill />}
				below={<>{phone(contact.phone_number)}{contact.last_called_at && <> · last called <Time at={contact.last_called_at} /></>} · <Link to={'/calls' + query({ q: contact.phone_number })}>calls to it</Link></>}
				actions={mayWrite && <>
					<button type="button" className="button danger" onClick={() => ask({
						title: 'Put this number on the do-not-call list?', verb: 'Put it on the list', text: <>{phone(contact.phone_number)} is not called any more, in any campaign of the organisation.</>,
						run: async () => { await change('POST', '/do-not-call', { body: { phone_number: contact.phone_number, reason: 'by hand' } }); toast('The number is on the do-not-call list.') },
					})}>Put on do-not-call…</button>
					<button type="button" className="button danger" onClick={() => ask({
						title: 'Delete this contact?', verb: 'Delete it', text: 'Campaigns keep their copies of it. This cannot be undone.',
						run: async () => { await change('DELETE', '/contacts/' + contact.id); await refresh('/contacts'); toast('Deleted.'); go('/contacts', { force: true }) },
					})}>Delete…</button>
				</>} />
			{mayWrite ? (
				<Card className="form-card">
					<form className="form" noValidate onSubmit={event => { event.preventDefault(); press() }}>
						<ContactFields form={form} set={next => setForm(old => ({ ...old, ...next }))} faults={faults} />
						<div className="buttons"><button className="button primary" disabled={!isDirty || isRunning}>Save</button></div>
					</form>
				</Card>
			) : <Card><Fields contact={contact} /></Card>}
		</>
	)
}
