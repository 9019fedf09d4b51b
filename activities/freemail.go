package activities

import (
	"slices"
	"strings"
)

// isFreeMail reports whether anybody can have an address of the domain, so that two people who have one need not have anything to
// do with each other. Domains are in lower case. A provider that is missing in the lists is harmless as long as the destination
// knows nobody of it, and else files a meeting under a stranger's account: rather too many domains than too few.
func isFreeMail(domain string) bool {
	name, _, _ := strings.Cut(domain, ".")
	return slices.Contains(freeMailNames, name) || slices.Contains(freeMailDomains, domain) ||
		slices.ContainsFunc(freeMailSuffixes, func(s string) bool { return strings.HasSuffix(domain, s) })
}

// freeMailNames are providers with a domain in many countries, such as yahoo.co.uk.
var freeMailNames = []string{"gmail", "gmx", "googlemail", "hotmail", "live", "outlook", "yahoo", "yandex"}

// freeMailSuffixes are the ends of addresses that stand for no company: rooms and calendars, and Apple's relay.
var freeMailSuffixes = []string{".calendar.google.com", ".appleid.com"}

// freeMailDomains are providers of free addresses, by where most of their users are, and access providers whose customers have an
// address of theirs.
var freeMailDomains = strings.Fields(`
	aim.com aol.com duck.com email.com fastmail.com fastmail.fm hey.com hushmail.com icloud.com inbox.com lycos.com mac.com
	mail.com mailbox.org mailfence.com me.com msn.com passport.com pm.me posteo.net proton.me protonmail.ch protonmail.com
	rocketmail.com runbox.com tuta.com tuta.io tutamail.com tutanota.com usa.com ymail.com zohomail.com

	att.net bellsouth.net charter.net comcast.net cox.net earthlink.net frontier.com frontiernet.net juno.com netzero.net
	optonline.net pacbell.net roadrunner.com rr.com sbcglobal.net verizon.net windstream.net
	bell.net rogers.com shaw.ca sympatico.ca telus.net videotron.ca

	blueyonder.co.uk btinternet.com btopenworld.com eircom.net ntlworld.com sky.com talktalk.net tiscali.co.uk virgin.net
	virginmedia.com

	arcor.de freenet.de kabelmail.de mailbox.de online.de posteo.de t-online.de tutanota.de vodafone.de web.de
	aon.at chello.at bluewin.ch hispeed.ch sunrise.ch
	free.fr laposte.net neuf.fr numericable.fr orange.fr sfr.fr wanadoo.fr
	alice.it email.it libero.it tim.it tin.it tiscali.it virgilio.it
	telefonica.net terra.es sapo.pt
	home.nl kpnmail.nl planet.nl skynet.be telenet.be xs4all.nl ziggo.nl
	bredband.net mail.dk online.no telia.com
	abv.bg centrum.cz interia.pl mail.bg o2.pl onet.pl poczta.onet.pl seznam.cz ukr.net wp.pl
	bk.ru inbox.ru list.ru mail.ru rambler.ru

	126.com 139.com 163.com 21cn.com aliyun.com foxmail.com qq.com sina.cn sina.com sohu.com yeah.net
	daum.net docomo.ne.jp ezweb.ne.jp hanmail.net nate.com naver.com nifty.com softbank.ne.jp
	indiatimes.com rediff.com rediffmail.com
	bigpond.com bigpond.net.au iinet.net.au optusnet.com.au tpg.com.au xtra.co.nz
	bol.com.br globo.com ig.com.br oi.com.br terra.com.br uol.com.br prodigy.net.mx

	10minutemail.com guerrillamail.com mailinator.com trashmail.com yopmail.com`)
