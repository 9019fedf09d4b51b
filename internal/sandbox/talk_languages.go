package sandbox

var germanTalk = theme{
	titles:   []string{"{a}: Jour fixe", "{a} / {v} – Statusgespräch", "Abstimmung Schnittstelle {a}"},
	purposes: []string{"Jour fixe", "Statusgespräch"},
	agenda:   []string{"Offene Punkte", "Nutzung", "Nächste Schritte"},
	opening:  "{h} und {c} haben die offenen Punkte von {a} besprochen.",
	closing:  "Der nächste Termin ist in zwei Wochen, gleiche Uhrzeit.",
	scenes: []scene{
		{"Die Verspätungsmeldungen für {s} kommen jetzt zuverlässig an.", "Meldungen: {s} ist seit dieser Woche angebunden.", "{h} schickt die Übersicht der Schwellwerte."},
		{"{o} wünscht sich eine Auswertung nach Spediteur, möglichst als Excel.", "Wunsch: Auswertung je Spediteur für {o}.", "{h} prüft den Export je Spediteur."},
		{"Rund {p} der Aufträge haben noch keine gültige Lieferadresse.", "Datenqualität: {p} der Aufträge ohne gültige Adresse.", "{c} klärt die Adressen mit dem Einkauf."},
		{"Die Schulung für {n} Disponenten wird in den Spätsommer verschoben.", "Schulung: {n} Disponenten, neuer Termin folgt.", "{c} nennt die Teilnehmer bis Freitag."},
	},
}

var frenchTalk = theme{
	titles:   []string{"{a} – point hebdomadaire", "Suivi de projet {a} / {v}", "Comité de pilotage {a}"},
	purposes: []string{"Point hebdomadaire", "Comité de pilotage"},
	agenda:   []string{"Points ouverts", "Indicateurs", "Suite à donner"},
	opening:  "{h} et {c} ont passé en revue l'avancement du projet chez {a}.",
	closing:  "Le prochain point aura lieu la semaine prochaine, même créneau.",
	scenes: []scene{
		{"Le suivi des camions entre {s} et l'entrepôt fonctionne désormais en temps réel.", "Suivi : la liaison de {s} est en temps réel.", "{h} envoie le guide des alertes."},
		{"{o} signale que {p} des livraisons n'ont pas de créneau confirmé.", "Créneaux : {p} des livraisons sans confirmation.", "{c} relance les transporteurs concernés."},
		{"L'équipe souhaite être formée à l'écran « Exceptions » avant l'été.", "Formation : écran « Exceptions » pour {n} personnes.", "{h} propose deux dates de formation."},
		{"Le contrat arrive à échéance dans {n} mois, et {c} est plutôt favorable au renouvellement.", "Contrat : échéance dans {n} mois, avis favorable.", ""},
	},
}

var spanishTalk = theme{
	titles:   []string{"{a}: reunión de seguimiento", "Seguimiento {a} / {v}", "Puesta en marcha en {a}"},
	purposes: []string{"Seguimiento", "Puesta en marcha"},
	agenda:   []string{"Temas abiertos", "Datos", "Próximos pasos"},
	opening:  "{h} y {c} repasaron la puesta en marcha en {a}.",
	closing:  "Se vuelven a reunir el mes que viene con los datos de {s}.",
	scenes: []scene{
		{"¿Por qué llegan tarde los contenedores? {o} cree que es un problema de aduanas.", "Retrasos: según {o}, el origen está en aduanas.", "{c} pide los tiempos de despacho a la agencia."},
		{"El panel de {s} ya lo usan {n} personas cada mañana.", "Uso: {n} personas consultan el panel de {s} a diario.", ""},
		{"Faltan los números de pedido en el {p} de los albaranes.", "Datos: el {p} de los albaranes no lleva número de pedido.", "{o} corrige la plantilla del albarán."},
		{"{c} quiere ampliar el servicio a la filial portuguesa.", "Ampliación: interés por la filial portuguesa.", "{h} prepara una propuesta de ampliación."},
	},
}

var japaneseTalk = theme{
	titles:   []string{"{a} 定例会議", "{a}様 導入打ち合わせ", "{v} × {a} 進捗確認"},
	purposes: []string{"定例会議", "導入"},
	agenda:   []string{"進捗", "課題", "次のステップ"},
	opening:  "{h}と{c}は、{a}での導入状況を確認した。",
	closing:  "次回は再来週に行う。🙏",
	scenes: []scene{
		{"{s}向けの出荷のうち{p}がリアルタイムで追跡できている。", "追跡:{s}向け出荷の{p}がリアルタイム。", "{h}がアラート設定の資料を送付する。"},
		{"{o}から、通知が多すぎるとの指摘があった。", "通知:件数を減らしてほしい({o})。", "{h}が通知のグループ化を設定する。"},
		{"倉庫システムとの接続は{n}日後に試験を始める。", "接続:{n}日後に試験開始。", "{c}が試験用データを用意する。"},
		{"来期の予算に追加拠点を含めたいとの意向。", "予算:来期に追加拠点を検討。", ""},
	},
}
