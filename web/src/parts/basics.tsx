// Small parts of every page: links, states, cards, texts for empty parts.

import { useEffect, useRef, useState, type MouseEvent, type ReactNode } from 'react'
import { ApiError } from '../base/api'
import { go, ROOT } from '../base/route'
import { errorWords, type Word } from '../base/words'
import { Icon, ShapeMark, type IconName } from './icon'

export function Link({ to, children, onClick, ...rest }: {
	to: string; children: ReactNode; className?: string; 'aria-current'?: 'page' | undefined; 'data-row'?: boolean
	'aria-label'?: string; onClick?: () => void
}) {
	const follow = (event: MouseEvent) => {
		if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
		event.preventDefault()
		event.stopPropagation()
		onClick?.()
		go(to)
	}
	return <a href={ROOT + to} onClick={follow} {...rest}>{children}</a>
}

export function Status({ word, pill, more }: { word: Word; pill?: boolean; more?: string }) {
	return (
		<span className={`status tone-${word.tone}${pill ? ' pill' : ''}`} title={word.hint}>
			<ShapeMark shape={word.shape} />{word.text}{more && ` ${more}`}
		</span>
	)
}

export function Card({ title, actions, children, className = '', flush, label }: {
	title?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; flush?: boolean; label?: string
}) {
	return (
		<section className={`card ${flush ? 'flush ' : ''}${className}`} aria-label={label}>
			{(title || actions) && <div className="card-head">{title ? <h2>{title}</h2> : <span />}{actions && <div className="buttons">{actions}</div>}</div>}
			<div className="card-body">{children}</div>
		</section>
	)
}

export function Notice({ kind, icon, children, actions }: {
	kind: 'bad' | 'warn' | 'ok' | 'info'; icon?: IconName; children: ReactNode; actions?: ReactNode
}) {
	const shown = icon ?? (kind === 'ok' ? 'check' : kind === 'info' ? 'info' : 'warn')
	return <div className={`notice ${kind}`}><Icon name={shown} /><div className="grow">{children}</div>{actions}</div>
}

export function Empty({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
	return <div className="empty"><h2>{title}</h2>{children && <p>{children}</p>}{actions && <div className="buttons">{actions}</div>}</div>
}

// The text in place of a part that cannot be shown.
export function Failure({ error, what }: { error: ApiError; what: string }) {
	return (
		<Notice kind="bad">
			<p className="strong">{what} cannot be shown.</p>
			<p><ErrorText error={error} /></p>
		</Notice>
	)
}

export function messageOf(error: unknown): string {
	if (!(error instanceof ApiError)) return String(error)
	if (error.status === 404) return error.message
	const known = errorWords[error.code as keyof typeof errorWords]
	return error.status >= 500 || error.status === 0 || !error.message ? known ?? error.message : error.message
}

export function ErrorText({ error }: { error: unknown }) {
	const id = error instanceof ApiError && error.status >= 400 && error.status !== 422 && error.requestId
	return <>{messageOf(error)}{id && <> <small className="faint">({(error as ApiError).code}, <span className="mono">{id}</span>)</small></>}</>
}

export function Skeleton({ rows = 6, height = 20 }: { rows?: number; height?: number }) {
	return (
		<div className="stack close" aria-busy="true" aria-label="Loading" role="status">
			{Array.from({ length: rows }, (_, index) => <div key={index} className="skeleton" style={{ height, width: `${100 - (index * 17) % 35}%` }} />)}
		</div>
	)
}

// A page's title, which is also the title of the tab, and gets the focus when the page opens.
export function PageHead({ title, crumb, after, below, actions, name }: {
	title: ReactNode; crumb?: ReactNode; after?: ReactNode; below?: ReactNode; actions?: ReactNode; name: string
}) {
	const heading = useRef<HTMLHeadingElement>(null)
	useTitle(name)
	useEffect(() => {
		const active = document.activeElement
		if (!active || active === document.body || !active.closest('dialog, input, .drawer')) heading.current?.focus({ preventScroll: true })
	}, [])
	return (
		<header className="page-head">
			<div className="titles">
				{crumb && <div className="crumb">{crumb}</div>}
				<div className="title-line"><h1 tabIndex={-1} ref={heading}>{title}</h1>{after}</div>
				{below && <div className="soft">{below}</div>}
			</div>
			{actions && <div className="buttons">{actions}</div>}
		</header>
	)
}

export function useTitle(name: string) {
	useEffect(() => {
		document.title = `${name} · Outdial`
	}, [name])
}

// Returns a value that follows `value` after it has not changed for a while.
export function useRested<T>(value: T, ms: number): T {
	const [rested, setRested] = useState(value)
	useEffect(() => {
		const timer = setTimeout(() => setRested(value), ms)
		return () => clearTimeout(timer)
	}, [value, ms])
	return rested
}

// Foreign text, whose direction of writing does not affect the text after it.
export function Name({ children }: { children: string }) {
	return <bdi>{children}</bdi>
}

// A link from data. It is a link only if it leads to a web page, and it names the host.
export function OuterLink({ url, children }: { url: URL; children: ReactNode }) {
	return (
		<span className="wrap">
			<a href={url.href} target="_blank" rel="noopener noreferrer">{children} <span className="hidden">(opens a new tab)</span></a>
			{' '}<small className="faint">{url.host}</small>
		</span>
	)
}

export function Menu({ label, children }: { label: string; children: ReactNode }) {
	const [isOpen, setOpen] = useState(false)
	const place = useRef<HTMLDivElement>(null)
	useEffect(() => {
		if (!isOpen) return
		place.current?.querySelector<HTMLElement>('.menu-list button, .menu-list a')?.focus()
		const close = (event: Event) => {
			if (!place.current?.contains(event.target as Node)) setOpen(false)
		}
		addEventListener('pointerdown', close)
		addEventListener('focusin', close)
		return () => {
			removeEventListener('pointerdown', close)
			removeEventListener('focusin', close)
		}
	}, [isOpen])
	const onKeyDown = (event: React.KeyboardEvent) => {
		const items = [...place.current!.querySelectorAll<HTMLElement>('.menu-list button, .menu-list a')]
		const at = items.indexOf(document.activeElement as HTMLElement)
		if (event.key === 'Escape' && isOpen) {
			event.stopPropagation()
			setOpen(false)
			place.current?.querySelector('button')?.focus()
		} else if (isOpen && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
			event.preventDefault()
			items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus()
		}
	}
	return (
		<div className="menu" ref={place} onKeyDown={onKeyDown}>
			<button type="button" className="button icon" aria-label={label} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon name="more" /></button>
			{isOpen && <div className="menu-list" onClick={() => setOpen(false)}>{children}</div>}
		</div>
	)
}
