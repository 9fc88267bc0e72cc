//! French.

use ivr_core::number::{Kind, NumberError};

use super::{Text, Words};
use crate::verify::State;

pub(super) const FRENCH: Words = Words {
    tag: "fr",
    name: "Français",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    kind,
    number,
    state,
    step,
    date: Text("{day} {month} {year}, {time} UTC"),

    skip: Text("Aller au contenu"),
    demonstration: Text("Démonstration : ce qu'elle certifie n'a aucune valeur hors de cette machine."),
    how_it_works: Text("Comment cela fonctionne, et comment chercher quelqu'un"),

    please_check: Text("Veuillez vérifier"),
    verify_your_number: Text("Vérifiez votre numéro de téléphone"),
    start_lead: Text(
        "Vous nous appelez de ce numéro, vous composez un code et vous recevez un certificat qui dit que le numéro est le vôtre. L'appel est tout ce que nous demandons : ni compte, ni SMS.",
    ),
    start_change: Text("Il faut changer quelque chose avant de continuer."),
    work: Text(
        "Beaucoup de personnes commencent en ce moment : votre navigateur doit donc calculer quelques secondes.",
    ),
    work_goes_on: Text("Ensuite, il continue tout seul."),
    work_again: Text("Choisissez de nouveau votre fichier, si vous en avez envoyé un, et continuez."),
    work_progress: Text("Avancement probable du travail"),
    work_needs_scripts: Text(
        "Il faut pour cela des scripts, qui sont désactivés dans ce navigateur : réessayez dans quelques minutes.",
    ),
    telephone_number: Text("Numéro de téléphone"),
    number_help: Text("Avec + et l'indicatif du pays, par exemple +1 202 555 0143."),
    number_without_country: Text("Sans indicatif, il est lu comme un numéro de {country}."),
    did_you_mean: Text("Vouliez-vous dire {number} ?"),
    read_as: Text("Nous le lisons comme {number}. Si c'est juste, continuez."),
    own_number: Text(
        "C'est l'un de nos numéros, que l'on appelle pour la vérification. Tapez le numéro depuis lequel vous appelez.",
    ),
    result_is_signed: Text("Votre numéro est prouvé. Le résultat est en cours de signature."),
    demo_directory: Text("un anneau privé à l'intérieur de cette démonstration"),
    publish_question: Text("D'autres peuvent-ils trouver votre certificat par votre numéro ?"),
    publish_yes: Text(
        "<b>Oui, publiez-le.</b> Quiconque connaît votre numéro peut chercher votre certificat dans un annuaire public, et voir qu'il existe.",
    ),
    publish_no: Text(
        "<b>Non, ne le donnez qu'à moi.</b> Rien sur vous n'entre dans l'annuaire, et une inscription antérieure est retirée.",
    ),
    publish_hint: Text("Choisissez l'un des deux."),
    neither: Text(
        "Sans l'un ni l'autre, vous recevez une déclaration signée que le numéro est le vôtre, et aucun certificat.",
    ),
    browser_key: Text("Votre navigateur crée la clé. Elle ne quitte pas cet appareil."),
    browser_key_fails: Text("Ce navigateur ne peut pas créer de clé : utilisez la vôtre."),
    go_on: Text("Continuer"),
    verify_an_address: Text(
        "Pas de téléphone sous la main ? <a href=\"/email\">Vérifiez une adresse électronique</a>.",
    ),
    which_language: Text("Langue de ces pages et, après le code, de la voix"),
    own_key: Text("Utiliser une clé à vous"),
    own_key_make: Text(
        "Créez une clé et une demande avec OpenSSL, et donnez-nous la demande (<code>request.pem</code>), jamais la clé :",
    ),
    own_key_paste: Text("Collez la demande"),
    own_key_file: Text("Ou choisissez son fichier"),

    call: Text("Appelez le {number}"),
    type_the_digits: Text("Tapez les chiffres"),
    call_us_from: Text("Appelez-nous du <span class=\"number\">{number}</span>"),
    not_your_number: Text("Ce n'est pas votre numéro ? <a href=\"/\">Recommencez</a>."),
    what_to_dial: Text("Ce qu'il faut composer"),
    dial_this: Text("Composez vous-même ce numéro"),
    key_in: Text("Puis, quand la voix le demande, composez"),
    qr: Text("Code QR avec le numéro à composer, sans le code"),
    scan: Text("Scannez pour composer"),
    softphone: Text(
        "Un téléphone logiciel compose <code>sip:{dial}@{sip}</code> et se présente comme <code>{number}</code>.",
    ),
    simulate: Text(
        "Ou laissez la démonstration s'appeler elle-même, par un vrai appel. Cette page le suit à partir du bon code, environ 20 secondes après le début, et l'appelant tape aussi les chiffres. Les fausses manœuvres ne changent rien ici ; la console les montre.",
    ),
    simulate_call: Text("Simuler l'appel"),
    simulate_wrong_code: Text("Un appel avec de mauvais codes"),
    simulate_spoof: Text("Un appel d'un autre numéro"),
    simulate_hang_up: Text("Un appel qui raccroche trop tôt"),
    simulate_in_vain: Text(
        "Un appel est déjà en cours pour cette vérification. Un autre pourra commencer quand il sera terminé.",
    ),
    digits_label: Text("Les six chiffres que lit la voix"),
    confirm: Text("Confirmer"),
    digits_help: Text(
        "Tapez-les seulement ici, et seulement si vous avez ouvert cette page vous-même. Ils sont valables 90 secondes à partir du premier mot de la voix.",
    ),
    digits_missing: Text("Tapez les six chiffres que lit la voix."),
    digits_wrong_once: Text("Ce ne sont pas les bons chiffres. Vous pouvez réessayer une fois."),
    digits_wrong: Text("Ce ne sont pas les bons chiffres. Vous pouvez réessayer {count} fois."),
    step_call: Text("Appelez le numéro."),
    step_code: Text("Après l'avertissement, composez le code."),
    step_confirm: Text("Appuyez sur la touche que nomme la voix."),
    step_digits: Text("Tapez les six chiffres que la voix vous lit."),
    step_hear: Text("Entendez que cela a fonctionné."),
    step_certificate: Text("Votre certificat est créé."),
    step_result: Text("Votre résultat est signé."),
    we_wait: Text("Nous attendons votre appel."),
    remedy: Text(
        "Si vous êtes au téléphone, continuez : cette page avance dès que votre code est juste. Si votre appel n'a pas été pris, votre numéro est peut-être masqué : composez <b>*31#</b> (la plupart des réseaux mobiles) ou <b>*82</b> (Amérique du Nord) avant le numéro, ou activez la présentation du numéro dans les réglages du téléphone.",
    ),
    good_until: Text("Le code est valable jusqu'à"),
    minutes_left: Text(", encore {minutes} minutes"),
    time_left: Text(", encore {time}"),
    stop: Text("Arrêter"),

    not_verified: Text("Le numéro {number} n'a pas été vérifié."),
    what_happened: Text("Ce qui s'est passé"),
    start_again: Text("Recommencer"),
    voided: Text("Trop de mauvais chiffres"),
    voided_why: Text(
        "De mauvais chiffres ont été tapés trop souvent : cette vérification est annulée. Si quelqu'un d'autre vous a dit d'appeler, ne recommencez pas.",
    ),
    expired: Text("Le temps est écoulé"),
    expired_why: Text(
        "Aucun appel avec le bon code n'est arrivé à temps, ou ses chiffres n'ont pas été tapés à temps. Le code ne fonctionne plus.",
    ),
    failed: Text("Cela n'a pas fonctionné"),
    failed_why: Text("Le certificat n'a pas pu être créé."),

    verified: Text("Vérifié"),
    is_verified: Text("Vérification réussie : <span class=\"{class}\">{name}</span>"),
    result_lead: Text(
        "Vous n'avez pas donné de demande de certificat : il n'y a donc pas de certificat. Voici notre déclaration signée (un JWS, à vérifier avec les <a href=\"/.well-known/jwks.json\">clés de ce service</a>) :",
    ),
    result_label: Text("Déclaration signée"),
    your_certificate: Text("Votre certificat"),
    was_revoked: Text("Ce certificat a été révoqué le {day}."),
    was_suspended: Text(
        "Un appel de votre numéro a suspendu ce certificat le {day}. Si <a href=\"/key\">sa clé ne lève pas cela</a> en un jour, il est révoqué.",
    ),
    pending: Text(
        "Une autre clé a été prouvée pour ce numéro le {since}. Elle prendra la place de la vôtre le {until} si vous ne l'arrêtez pas",
    ),
    pending_call: Text(
        " : appelez le {dial} de votre numéro, ne composez aucun code si l'on vous en demande un, appuyez sur 9 à la fin, puis sur le chiffre qui est nommé. Cela suspend aussi votre propre certificat, jusqu'à ce que votre clé lève cela",
    ),
    pending_key: Text(
        ". <a href=\"/key\">Votre clé peut l'arrêter</a> à elle seule : la clé qui attend est <code class=\"long\">{key}</code>.",
    ),
    level: Text("Niveau"),
    code_only: Text("Seul un code a été demandé, et aucun chiffre n'a été relu."),
    no_higher: Text("Pas plus haut : {cap}"),
    valid: Text("Validité"),
    from_until: Text("du {from} au {until}"),
    serial_number: Text("Numéro de série"),
    directory: Text("Annuaire"),
    superseded: Text("Un autre certificat a pris la place de celui-ci."),
    not_published: Text("Non publié, comme vous l'avez demandé."),
    p12: Text("Clé et certificat dans un seul fichier"),
    p12_lead: Text(
        "Votre clé est dans ce navigateur. Choisissez un mot de passe et gardez le fichier : il s'ouvre dans les programmes de courrier et les systèmes d'exploitation.",
    ),
    password: Text("Mot de passe"),
    p12_button: Text("Télécharger le .p12"),
    p12_making: Text("Création du fichier …"),
    p12_done: Text(
        "C'est fait. Le fichier est parmi vos téléchargements, et ce navigateur oublie la clé quand vous partez.",
    ),
    p12_lost: Text(
        "La clé de ce certificat n'est plus dans ce navigateur. Si vous l'avez gardée, utilisez ce fichier. Sinon, elle est perdue, et vous pouvez recommencer.",
    ),
    p12_elsewhere: Text("Votre clé est là où vous l'avez créée. Le certificat est plus bas."),
    certificate: Text("Certificat"),
    download_pem: Text("Télécharger le PEM"),
    show_it: Text("L'afficher"),
    certificate_label: Text("Le certificat, PEM"),
    chain_label: Text("Le certificat intermédiaire, PEM"),
    look_me_up: Text("Me chercher"),
    look_up_number: Text(
        "Quiconque connaît votre numéro trouve le certificat avec le <a href=\"/ca/bundle.pem\" download>paquet de ce service</a>, dont la racine a l'empreinte <code class=\"long\">{fingerprint}</code> :",
    ),
    look_up_address: Text(
        "Quiconque connaît votre adresse trouve le certificat avec le <a href=\"/ca/bundle.pem\" download>paquet de ce service</a>, dont la racine a l'empreinte <code class=\"long\">{fingerprint}</code> :",
    ),
    command_line: Text("Ligne de commande"),
    withdraw_lead: Text(
        "Si vous ne voulez plus être trouvé, retirez l'inscription de l'annuaire. Votre certificat reste valable ; pour être trouvé de nouveau, vérifiez le numéro de nouveau.",
    ),
    withdraw: Text("La retirer de l'annuaire"),
    withdraw_renewed: Text(
        "Si votre appareil a renouvelé ce certificat par le même appel, vous pouvez retirer de l'annuaire l'inscription du nouveau.",
    ),
    record_leaves: Text("L'inscription est en train d'être retirée de l'annuaire."),
    record_revoked: Text("Révoqué : l'annuaire dit qu'il n'y a pas de certificat."),
    record_withdrawn: Text("Retiré : l'annuaire dit qu'il n'y a pas de certificat."),
    record_comes: Text("Émis, en cours de publication : l'inscription est en route vers l'annuaire."),
    record_published: Text("Publié dans {place}"),
    record_published_somewhere: Text("Publié dans l'annuaire"),
    record_slot: Text(", place {slot}"),
    record_bytes: Text(", {bytes} octets"),

    waiting: Text("En attente"),
    held: Text("<span class=\"number\">{number}</span> est prouvé, et sa nouvelle clé attend"),
    held_until: Text(
        "Une autre clé a été certifiée récemment pour ce numéro. Pour que personne ne prenne un numéro à son propriétaire sans être vu, la vôtre attend jusqu'au <b>{until}</b>. Le certificat est alors créé, et cette page l'affiche : gardez la page, ou revenez avec ce navigateur.",
    ),
    held_meanwhile: Text(
        "En attendant, quiconque cherche le numéro voit qu'une autre clé attend, et le propriétaire de l'ancienne clé peut l'arrêter. Rien ne l'accélère, sauf l'ancienne clé.",
    ),
    held_unexpected: Text(
        "Si vous ne vous y attendiez pas, quelqu'un d'autre a un certificat pour votre numéro. Renoncez, appelez le {dial} de votre numéro, ne composez aucun code, appuyez sur 9 à la fin, puis sur le chiffre qui est nommé : cela suspend ce qui existe pour lui.",
    ),
    old_key: Text("Avez-vous l'ancienne clé ?"),
    old_key_signs: Text("Faire signer l'ancienne clé pour la nouvelle"),
    or_give_up: Text("Ou renoncer"),
    give_up: Text("Renoncer"),
    not_signed: Text("Ceci n'est pas signé par la clé du certificat en vigueur. Choisissez cette clé."),

    speak: Text("Parler avec votre clé"),
    speak_title: Text("Parlez avec la clé de votre certificat"),
    speak_lead: Text(
        "Quiconque a la clé du certificat d'un numéro peut lever sa suspension, retirer son inscription de l'annuaire ou arrêter une autre clé qui attend pour le numéro : par une signature, sans appel.",
    ),
    what_it_says: Text("Ce qu'elle dit"),
    lift: Text("Lever la suspension du certificat."),
    take_out: Text("Retirer l'inscription de l'annuaire. Le certificat reste valable."),
    veto: Text("Arrêter la clé qui attend."),
    waiting_key: Text("La clé à arrêter"),
    waiting_key_help: Text(
        "64 chiffres et lettres, comme la page de votre certificat les montre. Seulement pour le dernier des trois.",
    ),
    sign: Text("Signer et envoyer"),
    key_file: Text("Son certificat et sa clé, PEM"),
    key_file_help: Text(
        "Le fichier reste dans ce navigateur ; une signature est envoyée. À partir du .p12 que vous avez gardé : <code>openssl pkcs12 -in FILE.p12 -nodes -out key.pem</code>. Effacez-le ensuite.",
    ),
    key_file_needs_scripts: Text(
        "Il faut pour cela des scripts, qui sont désactivés dans ce navigateur. L'API accepte ce que produit <code>openssl dgst -sha256 -sign</code>.",
    ),
    key_missing: Text("Il n'y a pas de clé non chiffrée en PKCS#8 PEM dans ce fichier."),
    key_unusable: Text("Ce navigateur ne peut pas utiliser ce type de clé."),
    key_uncertified: Text("Le certificat de cette clé n'est pas dans ce fichier : choisissez les deux."),
    key_sent: Text("Envoyé."),
    key_done: Text("C'est fait : l'annuaire et la liste de révocation suivent en quelques minutes."),

    verify_your_address: Text("Vérifiez votre adresse électronique"),
    address_lead: Text(
        "Nous envoyons un lien et un code à votre boîte aux lettres. Vous confirmez ici, et le certificat arrive par courriel. Il dit moins que celui d'un numéro de téléphone : niveau L0.",
    ),
    email_address: Text("Adresse électronique"),
    publish_question_address: Text("D'autres peuvent-ils trouver votre certificat par votre adresse ?"),
    publish_yes_address: Text(
        "<b>Oui, publiez-le.</b> Qui connaît votre adresse peut chercher votre certificat dans un annuaire public et voir qu'il existe.",
    ),
    verify_a_number: Text("Un téléphone sous la main ? <a href=\"/\">Vérifiez plutôt son numéro</a>."),
    key_is_needed: Text("Un certificat demande une clé : laissez le navigateur en créer une, ou donnez une demande."),

    look_into_mailbox: Text("Regardez dans votre boîte aux lettres"),
    making_certificate: Text("Création de votre certificat"),
    making_lead: Text(
        "Vous avez confirmé. Le certificat est en cours de création ; cette page l'affiche dans un instant.",
    ),
    mail_comes: Text(
        "Un courriel est en route vers <b class=\"long\">{address}</b>, sauf si nous y avons déjà souvent écrit. Ouvrez son lien dans ce navigateur, ou tapez son code ici.",
    ),
    not_your_address: Text("Ce n'est pas votre adresse ? <a href=\"/email\">Recommencez</a>."),
    mail_is_here: Text("Dans cette démonstration, <a href=\"/demo/mail\">le courriel est ici</a>."),
    mail_code: Text("Le code du courriel"),
    mail_code_help: Text(
        "Huit lettres et chiffres. Tapez-le seulement ici, et seulement si vous avez commencé vous-même.",
    ),
    mail_code_missing: Text("Un code a huit lettres et chiffres, comme dans le courriel."),
    mail_code_wrong_once: Text("Ce n'est pas le code du courriel ; vous pouvez essayer encore une fois."),
    mail_code_wrong: Text("Ce n'est pas le code du courriel ; vous pouvez essayer encore {count} fois."),
    your_key: Text("Votre clé"),
    mail_good_until: Text("Valable jusqu'au"),
    same_key: Text("Le courriel nomme la même clé : vous savez ainsi qu'il s'agit de cette commande."),

    address_not_verified: Text("L'adresse <span class=\"long\">{address}</span> n'a pas été vérifiée."),
    mail_voided: Text("Trop de codes faux"),
    mail_voided_why: Text(
        "Le code était faux cinq fois, cette commande est donc annulée. Si le courriel est le vôtre, recommencez.",
    ),
    mail_expired_why: Text(
        "Personne n'a utilisé le lien ou le code dans la journée. Aucun des deux ne fonctionne plus.",
    ),

    certificate_for: Text("Un certificat pour <span class=\"long\">{address}</span>"),
    who_asked: Text("Qui l'a demandé"),
    when_asked: Text("Quand"),
    their_key: Text("Sa clé"),
    not_in_this_browser: Text(
        "<b>Pas dans ce navigateur.</b> Le certificat a été demandé ailleurs, il ne peut donc pas être confirmé ici. Si c'était vous, tapez ce code là-bas :",
    ),
    asked_elsewhere: Text(
        "Si ce n'était pas vous, ne faites rien et ne donnez le code à personne : qui vous le demande veut un certificat à votre nom.",
    ),
    asked_here: Text("Vous l'avez demandé dans ce navigateur. Encore une étape :"),
    make_it: Text("Oui, créer le certificat"),
    confirmed_already: Text("Déjà confirmé"),
    confirmed_already_why: Text("Ce lien a été utilisé. Le certificat est dans votre boîte aux lettres, ou en route."),
    link_is_dead: Text("Ce lien ne fonctionne plus"),
    link_is_dead_why: Text(
        "Son temps est écoulé, ou le code était faux trop souvent. Si vous voulez encore un certificat, recommencez.",
    ),

    revoke_title: Text("Révoquer un certificat"),
    the_certificate_for: Text("Le certificat pour <span class=\"long\">{address}</span>"),
    revoked_on: Text("Il a été révoqué le {day}. Qui le cherche l'apprend."),
    key: Text("Clé"),
    valid_until: Text("Valable jusqu'au"),
    why_revoke: Text("Pourquoi le révoquer ?"),
    not_me: Text("Je ne l'ai pas demandé."),
    key_lost: Text("Sa clé est perdue ou volée. Cette clé n'est plus jamais certifiée."),
    not_wanted: Text("Je n'en veux plus."),
    choose_a_reason: Text("Choisissez une raison."),
    cannot_be_undone: Text("Cela ne peut pas être annulé."),
    revoke_it: Text("Le révoquer"),

    about_title: Text("Comment cela fonctionne"),
    about_number: Text("Vous nommez votre numéro ; votre navigateur crée une clé."),
    about_call: Text(
        "Vous nous appelez de ce numéro. Votre opérateur téléphonique nous dit qui appelle : un numéro masqué ne peut donc pas être vérifié.",
    ),
    about_code: Text("Vous composez le code de votre écran et appuyez sur une touche que nomme la voix."),
    about_digits: Text("La voix lit six chiffres. Vous les tapez dans la page, et recevez le certificat."),
    about_scam: Text(
        "<b>Si quelqu'un vous a demandé d'appeler, raccrochez : c'est une escroquerie.</b> Quiconque obtient vos chiffres peut se faire passer pour votre numéro.",
    ),
    look_up: Text("Chercher quelqu'un"),
    look_up_lead: Text(
        "Les certificats que leurs propriétaires ont publiés se trouvent dans {directory}. Avec le <a href=\"/ca/bundle.pem\" download>paquet de ce service</a> et un numéro, chacun peut en trouver et en vérifier un :",
    ),
    look_up_fingerprint: Text(
        "Comparez l'empreinte de la racine du paquet avec une autre que vous avez obtenue ailleurs :",
    ),
    about_key: Text(
        "Avec sa clé, vous pouvez <a href=\"/key\">lever une suspension, retirer l'inscription ou arrêter une autre clé</a>.",
    ),
    about_programs: Text("Pour les programmes"),
    about_api: Text("<a href=\"/openapi.json\">Description de l'API</a> à <code>{url}/v1</code>"),
    about_revoked: Text(
        "Certificats révoqués : <a href=\"/ca/tel.crl\">de numéros</a>, <a href=\"/ca/email.crl\">d'adresses électroniques</a>",
    ),
    about_keys: Text("<a href=\"/.well-known/jwks.json\">Clés des déclarations signées</a>"),
};

fn kind(kind: Kind) -> Text {
    Text(match kind {
        Kind::Subscriber => "C'est une ligne fixe ou mobile.",
        Kind::Voip => {
            "C'est un numéro de téléphonie par Internet, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile."
        }
        Kind::Personal => "C'est un numéro personnel, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile.",
        Kind::TollFree => "C'est un numéro gratuit, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile.",
        Kind::Premium => "C'est un numéro surtaxé, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile.",
        Kind::SharedCost => {
            "C'est un numéro à coût partagé, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile."
        }
        Kind::UniversalAccess => {
            "C'est le numéro unique d'une entreprise, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile."
        }
        Kind::Pager => "C'est un récepteur de poche, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile.",
        Kind::Voicemail => {
            "C'est le numéro d'une messagerie, qui ne peut pas être vérifié. Utilisez une ligne fixe ou mobile."
        }
    })
}

fn number(error: &NumberError) -> Text {
    Text(match error {
        NumberError::NotDigits => "Un numéro s'écrit avec + et des chiffres, l'indicatif du pays d'abord.",
        NumberError::NoCountry => "L'indicatif du pays manque : écrivez d'abord + et l'indicatif.",
        NumberError::TooShort => {
            "Le numéro est trop court pour être une ligne téléphonique avec son indicatif de pays."
        }
        NumberError::TooLong => "Le numéro a plus de 15 chiffres.",
        NumberError::Unassigned => "Aucun plan de numérotation n'a ce numéro.",
        NumberError::Misspelled { .. } => "Le numéro a un chiffre de trop ou de moins.",
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "Nous attendons votre appel.",
        State::Calling => "Le code a été composé au téléphone.",
        State::ReadBack => "La voix lit six chiffres. Tapez-les ici.",
        State::Issuing => "Votre numéro est prouvé. Le certificat est en cours de création.",
        State::Held => {
            "Votre numéro est prouvé, mais une autre clé a été certifiée récemment pour lui : celle-ci doit attendre."
        }
        State::Issued => "C'est fait.",
        State::Voided => "Trop de mauvais chiffres : cette vérification est annulée. Recommencez.",
        State::Expired => "Cette vérification est terminée. Recommencez.",
        State::Failed => "Elle n'a pas pu être menée à bien.",
    }
}

fn step(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "L'appel est pris : la voix dit de quoi il s'agit.",
        "entering-code" => "Composez le code au téléphone.",
        "wrong-code" => "Le code était faux.",
        "code-matched" => "Le code est juste.",
        "confirming" => "Appuyez sur la touche que nomme la voix.",
        "confirmed" => "Confirmé.",
        "reading-back" => "La voix lit six chiffres. Tapez-les ici.",
        "telling" => "La voix dit quels certificats le numéro possède.",
        "suspending" => "L'appelant veut les suspendre.",
        "ended" => "L'appel est terminé.",
        _ => return None,
    })
}
