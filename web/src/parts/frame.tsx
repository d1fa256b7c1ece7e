// The frame around every page: the bar, the menu, problems of the server, the line at the foot.

import { useEffect, useState, type ReactNode } from 'react'
import { server } from '../base/api'
import { useObservable } from '../base/observable'
import { refresh } from '../base/poll'
import { setPref, usePrefs } from '../base/prefs'
import { usePlace } from '../base/route'
import { leave, useMay, useSession } from '../base/session'
import { clockOf, MY_ZONE, spanText, wallOf, zoneName } from '../base/time'
import { Link, Menu } from './basics'
import { CommandBox } from './commandbox'
import { Dialog, Questions } from './dialog'
import { Icon, Logo } from './icon'
import { KeyHelp, useKeyboard, useToggle } from './keys'
import { useNow } from './time'
import { Toasts } from './toast'

const PAGES: [string, string][] = [
	['/', 'Overview'], ['/campaigns', 'Campaigns'], ['/calls', 'Calls'], ['/contacts', 'Contacts'], ['/do-not-call', 'Do-not-call'],
	['/agents', 'Agents'], ['/numbers', 'Numbers'], ['/webhooks', 'Webhooks'], ['/settings/view', 'Settings'],
]

const isAt = (path: string, to: string) => {
	const root = to.startsWith('/settings') ? '/settings' : to
	return root === '/' ? path === '/' : path === root || path.startsWith(root + '/')
}

export function Frame({ children }: { children: ReactNode }) {
	const { path } = usePlace()
	const session = useSession()
	const [isBox, openBox, closeBox] = useToggle()
	const [isHelp, openHelp, closeHelp] = useToggle()
	const [isMenu, openMenu, closeMenu] = useToggle()
	useKeyboard(openBox, openHelp)
	useEffect(closeMenu, [path, closeMenu])
	return (
		<>
			<a className="skip" href="#main" onClick={event => { event.preventDefault(); document.querySelector<HTMLElement>('h1')?.focus() }}>Skip to the page</a>
			<div className="top">
				<header className="top-bar">
					<button type="button" className="button icon quiet menu-button" aria-label="Menu" onClick={openMenu}><Icon name="menu" /></button>
					<Link to="/" className="brand"><Logo />Outdial</Link>
					<span className="org"><bdi>{session?.current.organization.name}</bdi></span>
					<ReadOnly />
					<span className="top-gap" />
					<button type="button" className="find" onClick={openBox} aria-label="Find or do something"><Icon name="search" /><span>Find or do…</span><kbd>Ctrl K</kbd></button>
					<Clocks />
					<ThemeButton />
					<Menu label="More">
						<button type="button" onClick={openHelp}>Keys of the keyboard</button>
						<Link to="/settings/view">View settings</Link>
						{!session?.isByProxy && <button type="button" onClick={leave}><Icon name="out" />Sign out</button>}
					</Menu>
				</header>
				<nav className="nav" aria-label="Pages"><Pages path={path} /></nav>
				<Banner />
			</div>
			<main className="main" id="main">{children}</main>
			<Foot />
			{isBox && <CommandBox onClose={closeBox} />}
			{isHelp && <KeyHelp onClose={closeHelp} />}
			{isMenu && (
				<Dialog title="Outdial" onClose={closeMenu}>
					<nav aria-label="Pages" className="menu-list" style={{ position: 'static', boxShadow: 'none', border: 0, padding: 0, marginBottom: 16 }}><Pages path={path} onClick={closeMenu} /></nav>
				</Dialog>
			)}
			<Questions />
			<Toasts />
		</>
	)
}

function Pages({ path, onClick }: { path: string; onClick?: () => void }) {
	return <>{PAGES.map(([to, text]) => <Link key={to} to={to} onClick={onClick} aria-current={isAt(path, to) ? 'page' : undefined}>{text}</Link>)}</>
}

function ReadOnly() {
	return useMay('write') ? null : <span className="badge">read only</span>
}

function Clocks() {
	const time = useNow(1000)
	const mine = clockOf(wallOf(time, MY_ZONE)), utc = clockOf(wallOf(time, 'UTC'))
	return <span className="clocks">{MY_ZONE === 'UTC' ? `${utc} UTC` : `${mine} ${zoneName(MY_ZONE)} · ${utc} UTC`}</span>
}

function ThemeButton() {
	const { theme } = usePrefs()
	const isDark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
	return (
		<button type="button" className="button icon quiet" aria-label={isDark ? 'Light theme' : 'Dark theme'} onClick={() => setPref('theme', isDark ? 'light' : 'dark')}>
			<Icon name={isDark ? 'sun' : 'moon'} />
		</button>
	)
}

function Banner() {
	const { awaySince, lastAnswer, nextTry, isBusy } = useObservable(server)
	if (isBusy && !awaySince) return <div className="banner" role="status">Too many requests with this key: this page asks less often for a while.</div>
	if (!awaySince) return null
	return (
		<div className="banner" role="status">
			<Icon name="warn" />
			<span>Outdial cannot be reached.{lastAnswer && ` What you see is from ${clockOf(wallOf(lastAnswer, MY_ZONE), true)}.`} <NextTry at={nextTry} /></span>
			<button type="button" className="button small" onClick={() => void refresh('/')}>Try now</button>
		</div>
	)
}

function NextTry({ at }: { at: number | null }) {
	const [time, setTime] = useState(Date.now())
	useEffect(() => {
		const timer = setInterval(() => setTime(Date.now()), 1000)
		return () => clearInterval(timer)
	}, [])
	const seconds = at ? Math.ceil((at - time) / 1000) : 0
	return <span aria-hidden="true">{seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…'}</span>
}

function Foot() {
	const session = useSession()
	const { clockAhead } = useObservable(server)
	const { zone } = usePrefs()
	return (
		<footer className="foot">
			<span>Outdial {session?.current.server.version}</span>
			<span>Times: {zone === 'utc' ? 'UTC' : zone === 'mine' ? zoneName(MY_ZONE) : 'of the campaign'} (<Link to="/settings/view">change</Link>)</span>
			{session?.current.name && <span>Key: <bdi>{session.current.name}</bdi></span>}
			{Math.abs(clockAhead) > 5000 && <span className="warn-text">Your clock is {spanText(clockAhead / 1000)} {clockAhead > 0 ? 'ahead of' : 'behind'} Outdial’s.</span>}
		</footer>
	)
}

// Actions are disabled while the server is away, with the reason.
export function useAway(): string | undefined {
	return useObservable(server).awaySince ? 'Outdial cannot be reached now' : undefined
}
