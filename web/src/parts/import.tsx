// Contacts from a file or from pasted text: checked by the server first, then loaded. The numbers it gives add up to
// the rows.

import type { ImportResult } from 'api-types'
import { useRef, useState } from 'react'
import { ApiError, call, save } from '../base/api'
import { query } from '../base/route'
import { count, csv, phone, plural } from '../base/text'
import { ErrorText, Name, Skeleton } from './basics'
import { Radios, Select, Text, useAction } from './form'
import { Icon } from './icon'

const UPLOAD_MS = 600_000
const LARGEST = 64 << 20

export type Checked = ImportResult & { updated?: number; total_contacts?: number; folder_id?: string }

interface Props {
	// The target of the file, and its parameters. null: the user has to choose something first.
	path: string | null
	words?: Record<string, string | boolean | null>
	onLoaded: (result: Checked) => void
	verb?: string
	noun?: [string, string]
	skippedText?: string
	beforeLoad?: () => Promise<string> // returns the path, if the target is created only now
}

const SEPARATORS: Record<string, string> = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'pipes' }

// The countries whose numbers the server can complete (ISO 3166).
const COUNTRIES = (
	'AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU ' +
	'CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL ' +
	'IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT ' +
	'MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM ' +
	'SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW'
).split(' ')

function countries(): [string, string][] {
	const names = new Intl.DisplayNames(['en'], { type: 'region' })
	return COUNTRIES.map((code): [string, string] => [code, names.of(code) ?? code]).sort((a, b) => a[1].localeCompare(b[1]))
}

// The fields for which a column can be chosen.
const CHOICES = [['phone', 'Number'], ['first_name', 'First name'], ['last_name', 'Last name'], ['name', 'First and last name'], ['email', 'Email'], ['timezone', 'Time zone']] as const

// Lines of pasted text as a file: a header is put in front where there is none.
export function pastedFile(text: string): Blob {
	const lines = text.split(/\r?\n/).filter(line => line.trim())
	const hasHeader = /(^|[,;\t"])\s*phone(_number)?\s*($|[,;\t"])/i.test(lines[0] ?? '')
	const separator = (lines[0] ?? '').includes('\t') ? '\t' : (lines[0] ?? '').includes(';') ? ';' : ','
	const header = hasHeader ? [] : ['phone' + separator + 'name']
	return new Blob([[...header, ...lines].join('\r\n') + '\r\n'], { type: 'text/csv' })
}

export function ImportContacts({ path, words = {}, onLoaded, verb = 'Load', noun = ['contact', 'contacts'], skippedText = 'there already', beforeLoad }: Props) {
	const [source, setSource] = useState<'file' | 'paste'>('file')
	const [file, setFile] = useState<File | null>(null)
	const [text, setText] = useState('')
	const [checked, setChecked] = useState<Checked | null>(null)
	const [result, setResult] = useState<Checked | null>(null)
	const [error, setError] = useState<unknown>(null)
	const [country, setCountry] = useState('')
	const [map, setMap] = useState<Record<string, string>>({})
	const [columns, setColumns] = useState<ImportResult['columns']>([])
	const content = source === 'file' ? file : text.trim() ? pastedFile(text) : null
	const send = async (isDry: boolean) => {
		setError(null)
		const target = path ?? await beforeLoad!()
		const chosen = Object.fromEntries(Object.entries(map).map(([field, column]) => [`map[${field}]`, column]))
		const { data } = await call<Checked>('POST', target + query({ ...words, ...chosen, default_country: country, dry_run: isDry ? true : null }), { file: content!, timeout: UPLOAD_MS })
		return data
	}
	const [check, isChecking] = useAction(async () => {
		const said = await send(true)
		setChecked(said)
		setColumns(said.columns)
	}, setError)
	const [load, isLoading] = useAction(async () => {
		const done = await send(false)
		setResult(done)
		onLoaded(done)
	}, setError)
	const change = () => { setChecked(null); setResult(null); setError(null) }
	const startOver = () => { change(); setMap({}); setColumns([]) }
	const take = (next: File | null) => { startOver(); setFile(next) }
	const choose = (field: string, column: string) => { change(); setMap(old => ({ ...old, [field]: column })) }
	const wantsColumn = error instanceof ApiError && error.errors.some(fault => fault.reason.includes('map[phone]'))
	return (
		<div className="stack">
			<Radios label="Where they come from" value={source} onChange={value => { startOver(); setSource(value) }} choices={[['file', 'File'], ['paste', 'Paste']]} />
			{source === 'file' ? <Drop file={file} onFile={take} />
				: <div className="field"><label htmlFor="pasted">Lines, or cells of a spreadsheet</label>
					<textarea id="pasted" className="textarea mono" rows={7} value={text} placeholder={'+12125550131, Blaise Pascal\n+12125550132, Ada Lovelace'} onChange={event => { change(); setText(event.target.value) }} />
					<div className="hint">A number and a name a line; or with a first line that names the columns.</div></div>}
			{file && source === 'file' && file.size > LARGEST && <p className="bad-text">The file has {count(file.size >> 20)} MiB: at most 64 are taken.</p>}
			{content && !result && <>
				<Select label="Numbers without a country" value={country} onChange={value => { change(); setCountry(value) }} hint="A country completes them, and says which cannot be right.">
					<option value="">cannot be used</option>
					{countries().map(([code, name]) => <option key={code} value={code}>are of {name}</option>)}
				</Select>
				{columns.length > 0 && <Columns columns={columns} map={map} onChoose={choose} />}
				{(wantsColumn || (map.phone && !columns.length)) && <Text label="Column with the numbers" value={map.phone ?? ''} onChange={value => setMap({ ...map, phone: value })} hint="Its name, as in the first row of the file" />}
				<div className="buttons">
					<button type="button" className={`button ${checked ? '' : 'primary'}`} disabled={isChecking || isLoading || content.size > LARGEST} onClick={check}>{isChecking ? 'Checking…' : 'Check the whole file'}</button>
					{checked && checked.imported + (checked.updated ?? 0) > 0 && <button type="button" className="button primary" disabled={isLoading} onClick={load}>{isLoading ? 'Loading…' : `${verb} ${plural(checked.imported + (checked.updated ?? 0), ...noun)}`}</button>}
				</div>
			</>}
			{error !== null && <p className="bad-text" role="alert"><ErrorText error={error} /></p>}
			{(isChecking || isLoading) && <Skeleton rows={3} />}
			{result ? <Sums result={result} isDone skippedText={skippedText} noun={noun} /> : checked && <>
				<Sums result={checked} skippedText={skippedText} noun={noun} />
				<Sample checked={checked} />
			</>}
		</div>
	)
}

function Columns({ columns, map, onChoose }: { columns: ImportResult['columns']; map: Record<string, string>; onChoose: (field: string, column: string) => void }) {
	const names = columns.map(column => column.name).filter(name => name)
	return (
		<details className="stack close" open={Object.values(map).some(column => column) || undefined}>
			<summary>Choose the columns</summary>
			<div className="form">
				{CHOICES.map(([field, label]) => (
					<Select key={field} label={label} value={map[field] ?? ''} onChange={column => onChoose(field, column)}>
						<option value="">as the names say</option>
						{names.map((name, index) => <option key={index} value={name}>{name}</option>)}
					</Select>
				))}
			</div>
		</details>
	)
}

function Drop({ file, onFile }: { file: File | null; onFile: (file: File | null) => void }) {
	const input = useRef<HTMLInputElement>(null)
	const [isOver, setOver] = useState(false)
	return (
		<div className={`drop ${isOver ? 'over' : ''}`} onDragOver={event => { event.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)}
			onDrop={event => { event.preventDefault(); setOver(false); onFile(event.dataTransfer.files[0] ?? null) }}>
			<input ref={input} type="file" accept=".csv,.txt,.tsv,text/csv" className="hidden" aria-label="CSV file" tabIndex={-1} onChange={event => onFile(event.target.files?.[0] ?? null)} />
			{file ? <p className="strong" style={{ color: 'var(--text)' }}><Name>{file.name}</Name> <span className="soft">{file.size < 10_000 ? `${count(file.size)} bytes` : `${count(Math.ceil(file.size / 1024))} KiB`}</span></p> : <p>Drop a CSV file here</p>}
			<button type="button" className="button" onClick={() => input.current?.click()}>{file ? 'Another file' : 'Choose a file'}</button>
			<p className="small">As your spreadsheet or CRM exports it, with a first row that names the columns. Numbers begin with + or 00, or are of a country that you name. A column that is not known becomes a custom field; the check says how each is used.</p>
		</div>
	)
}

function Sums({ result, isDone, skippedText, noun }: { result: Checked; isDone?: boolean; skippedText: string; noun: [string, string] }) {
	const { rows } = result
	const downloadBad = () => save(new Blob([csv([['row', 'phone', 'reason'], ...result.error_details.map(one => [one.row, one.phone, one.reason])])], { type: 'text/csv' }), 'rows-of-no-use.csv')
	return (
		<section className="stack close" aria-live="polite">
			<dl className="adds-up">
				<dt className="ok-text">{count(result.imported)}</dt><dd>{isDone ? 'loaded' : `will be loaded`}</dd>
				{!!result.updated && <><dt className="ok-text">{count(result.updated)}</dt><dd>{isDone ? 'overwritten' : 'will be overwritten'}</dd></>}
				<dt>{count(result.skipped)}</dt><dd>{skippedText}, or twice in the file</dd>
				<dt className={result.errors ? 'bad-text' : ''}>{count(result.errors)}</dt><dd>cannot be used</dd>
				<dt>= {count(rows)}</dt><dd>{rows === 1 ? 'row' : 'rows'} of the file{isDone ? '' : `, each ${noun[0]} once`}</dd>
			</dl>
			{result.errors > 0 && <>
				<div className="scroll" style={{ maxHeight: 210, overflow: 'auto' }} tabIndex={0} role="region" aria-label="Rows that cannot be used">
					<table className="table plain" aria-label="Rows that cannot be used">
						<thead><tr><th scope="col">Row</th><th scope="col">Number</th><th scope="col">Why</th></tr></thead>
						<tbody>{result.error_details.map(one => <tr key={one.row}><td className="tight">{count(one.row)}</td><td className="wrap"><Name>{one.phone ?? '–'}</Name></td><td className="wrap">{one.reason}</td></tr>)}</tbody>
					</table>
				</div>
				{result.errors > result.error_details.length && <p className="soft">and {count(result.errors - result.error_details.length)} more</p>}
				<button type="button" className="button small" style={{ justifySelf: 'start' }} onClick={downloadBad}><Icon name="down" />Download {result.errors > result.error_details.length ? `these ${result.error_details.length}` : `the ${result.errors}`}</button>
			</>}
		</section>
	)
}

const USES: Record<string, string> = {
	phone_number: 'number', first_name: 'first name', last_name: 'last name', name: 'first and last name', email: 'email', timezone: 'time zone',
	custom_field: 'custom field', ignored: 'not used',
}

function Sample({ checked }: { checked: Checked }) {
	const { rows, delimiter, columns, sample } = checked
	if (!sample?.length) return null
	return (
		<section className="stack close">
			<h3>As the server reads it</h3>
			<p className="soft">{plural(rows, 'row')} · {SEPARATORS[delimiter]} · {columns.map((column, index) => <span key={index}>{index > 0 && ', '}<Name>{column.name}</Name> → {USES[column.used_as]}</span>)}</p>
			<div className="scroll" tabIndex={0} role="region" aria-label="The first rows">
				<table className="table plain" aria-label="The first rows">
					<thead><tr><th scope="col">Row</th><th scope="col">Number</th><th scope="col">First name</th><th scope="col">Last name</th><th scope="col">Custom fields</th></tr></thead>
					<tbody>{sample.map(row => (
						<tr key={row.row} className={row.reason ? 'bad-text' : ''}><td className="tight">{count(row.row)}</td><td className="nowrap"><Name>{row.reason ? row.phone_number ?? '–' : phone(row.phone_number)}</Name></td><td><Name>{row.first_name ?? '–'}</Name></td><td><Name>{row.last_name ?? '–'}</Name></td>
							<td className="sub"><Name>{row.reason ?? (Object.entries(row.custom_fields ?? {}).map(([name, value]) => `${name} ${value}`).join(' · ') || '–')}</Name></td></tr>
					))}</tbody>
				</table>
			</div>
		</section>
	)
}
