// Fields: each has a label, a hint and a fault; an error of the server is shown at its field.

import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { ApiError } from '../base/api'
import { setGuard, setUnsaved } from '../base/route'
import { allZones, clockOf, isZone, wallOf } from '../base/time'
import { messageOf } from './basics'
import { useNow } from './time'

export type Faults = Record<string, string>

interface FieldProps { label: ReactNode; hint?: ReactNode; fault?: string; children: (props: FieldIds) => ReactNode }
export interface FieldIds { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }

export function Field({ label, hint, fault, children }: FieldProps) {
	const id = useId()
	const described = [hint && id + 'h', fault && id + 'f'].filter(Boolean).join(' ') || undefined
	return (
		<div className="field">
			<label htmlFor={id}>{label}</label>
			{children({ id, 'aria-describedby': described, 'aria-invalid': fault ? true : undefined })}
			{hint && <div className="hint" id={id + 'h'}>{hint}</div>}
			{fault && <div className="fault" id={id + 'f'}>{fault}</div>}
		</div>
	)
}

export function Group({ label, hint, fault, children }: { label: ReactNode; hint?: ReactNode; fault?: string; children: ReactNode }) {
	return (
		<fieldset className="field" aria-invalid={fault ? true : undefined} tabIndex={fault ? -1 : undefined}>
			<legend>{label}</legend>
			{children}
			{hint && <div className="hint">{hint}</div>}
			{fault && <div className="fault">{fault}</div>}
		</fieldset>
	)
}

interface TextProps {
	label: ReactNode; value: string; onChange: (value: string) => void; onLeave?: () => void; hint?: ReactNode; fault?: string
	type?: string; lines?: number; placeholder?: string; disabled?: boolean; required?: boolean; mono?: boolean; list?: string
	first?: boolean; max?: number
}

export function Text({ label, value, onChange, onLeave, hint, fault, type = 'text', lines, placeholder, disabled, required, mono, list, first, max }: TextProps) {
	return (
		<Field label={label} hint={hint} fault={fault}>
			{ids => lines
				? <textarea {...ids} className={`textarea ${mono ? 'mono' : ''}`} rows={lines} value={value} disabled={disabled} placeholder={placeholder} required={required}
					spellCheck={!mono} onChange={event => onChange(event.target.value)} onBlur={onLeave} data-first={first || undefined} />
				: <input {...ids} className="input" type={type} value={value} disabled={disabled} placeholder={placeholder} required={required} list={list} max={max}
					autoComplete="off" onChange={event => onChange(event.target.value)} onBlur={onLeave} data-first={first || undefined} />}
		</Field>
	)
}

export function Select({ label, value, onChange, hint, fault, disabled, children, hideLabel }: {
	label: string; value: string; onChange: (value: string) => void; hint?: ReactNode; fault?: string; disabled?: boolean; children: ReactNode; hideLabel?: boolean
}) {
	if (hideLabel)
		return <select className="select" aria-label={label} value={value} disabled={disabled} onChange={event => onChange(event.target.value)}>{children}</select>
	return (
		<Field label={label} hint={hint} fault={fault}>
			{ids => <select {...ids} className="select" value={value} disabled={disabled} onChange={event => onChange(event.target.value)}>{children}</select>}
		</Field>
	)
}

export function Check({ checked, onChange, children, disabled }: { checked: boolean; onChange: (value: boolean) => void; children: ReactNode; disabled?: boolean }) {
	return <label className="check"><input type="checkbox" checked={checked} disabled={disabled} onChange={event => onChange(event.target.checked)} /><span>{children}</span></label>
}

export function Radios<T extends string>({ label, value, onChange, choices, disabled }: {
	label: string; value: T; onChange: (value: T) => void; choices: [T, string][]; disabled?: boolean
}) {
	const name = useId()
	return (
		<fieldset className="segments">
			<legend className="hidden">{label}</legend>
			{choices.map(([choice, text]) => (
				<label key={choice}><input type="radio" name={name} value={choice} checked={value === choice} disabled={disabled} onChange={() => onChange(choice)} />{text}</label>
			))}
		</fieldset>
	)
}

// A whole number, or an empty field.
export function Amount({ label, value, onChange, unit, hint, fault, disabled, placeholder, min }: {
	label: string; value: number | null; onChange: (value: number | null) => void; unit?: string; hint?: ReactNode; fault?: string
	disabled?: boolean; placeholder?: string; min?: number
}) {
	const [text, setText] = useState(value === null ? '' : String(value))
	useEffect(() => {
		setText(old => (old.trim() === '' ? null : Number(old)) === value ? old : value === null ? '' : String(value))
	}, [value])
	const isWrong = text.trim() !== '' && !/^\d+$/.test(text.trim())
	return (
		<Field label={label} hint={hint} fault={fault ?? (isWrong ? 'must be a whole number' : undefined)}>
			{ids => (
				<span className="with-unit">
					<input {...ids} className="input" inputMode="numeric" value={text} disabled={disabled} placeholder={placeholder} autoComplete="off" min={min}
						onChange={event => {
							setText(event.target.value)
							const typed = event.target.value.trim()
							if (typed === '') onChange(null)
							else if (/^\d+$/.test(typed)) onChange(Number(typed))
						}} />
					{unit && <span>{unit}</span>}
				</span>
			)}
		</Field>
	)
}

export function ZoneField({ value, onChange, fault, disabled, label = 'Time zone' }: {
	value: string; onChange: (value: string) => void; fault?: string; disabled?: boolean; label?: string
}) {
	const list = useId()
	const time = useNow(10_000)
	const isKnown = isZone(value)
	return (
		<>
			<Text label={label} value={value} onChange={onChange} disabled={disabled} list={list} fault={fault ?? (value && !isKnown ? 'is not a zone such as Europe/Berlin' : undefined)}
				hint={isKnown && value ? `It is ${clockOf(wallOf(time, value))} there now` : undefined} />
			<datalist id={list}>{allZones().map(zone => <option key={zone} value={zone} />)}</datalist>
		</>
	)
}

// The faults of a form by field, from the server's reply. Faults of fields that the form does not show are under ''.
export function faultsOf(error: unknown, shown: string[]): Faults {
	if (!(error instanceof ApiError) || error.errors.length === 0) return { '': messageOf(error) }
	const faults: Faults = {}
	for (const { field, reason } of error.errors) {
		const root = field.split(/[.[]/)[0]
		const place = shown.includes(field) ? field : shown.includes(root) ? root : ''
		const text = place === field ? reason : `${field}: ${reason}`
		faults[place] = faults[place] ? `${faults[place]}; ${text}` : text
	}
	return faults
}

// Lists the faults at the top of a form, and takes the focus.
export function FaultSummary({ faults, labels }: { faults: Faults; labels: Record<string, string> }) {
	const box = useRef<HTMLDivElement>(null)
	const names = Object.keys(faults)
	useEffect(() => {
		if (names.length > 0) box.current?.focus()
	}, [faults]) // eslint-disable-line
	if (names.length === 0) return null
	return (
		<div className="summary-faults" role="alert" tabIndex={-1} ref={box}>
			<p className="strong">{names.length === 1 ? 'One thing needs another value.' : `${names.length} things need another value.`}</p>
			<ul>{names.map(name => <li key={name}>{name ? `${labels[name] ?? name}: ` : ''}{faults[name]}</li>)}</ul>
		</div>
	)
}

// Asks before a page with unsaved changes is left.
export function useUnsaved(isDirty: boolean) {
	useEffect(() => {
		if (!isDirty) return
		setUnsaved(() => true)
		setGuard(() => confirm('Leave without saving your changes?'))
		return () => {
			setUnsaved(null)
			setGuard(null)
		}
	}, [isDirty])
}

// A button that shows that its work is under way, and cannot be pressed twice.
export function useAction(run: () => Promise<unknown>, onError: (error: unknown) => void): [() => void, boolean] {
	const [isRunning, setRunning] = useState(false)
	const act = () => {
		if (isRunning) return
		setRunning(true)
		run().catch(onError).finally(() => setRunning(false))
	}
	return [act, isRunning]
}
